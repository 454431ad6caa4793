// The controller manager and the scheduler of one server of several: alone they
// work at once, beside others they ask for a lease.
package main

import (
	"net"
	"slices"
	"time"
)

const localAPIAddress = "127.0.0.1:6444"

// controllers are those that this server runs, by name.
func (s *server) controllers() (names []string) {
	if !s.opts.disableCtrl {
		names = append(names, "kube-controller-manager")
	}
	if !s.opts.disableScheduler {
		names = append(names, "kube-scheduler")
	}
	return names
}

// startController is called with the lock held.
func (s *server) startController(name string) (*child, error) {
	if name == "kube-scheduler" {
		return startScheduler(s.layout, s.elects, s.failed)
	}
	return startControllerManager(s.layout, s.opts, s.elects, s.failed)
}

func (s *server) startControllers() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.elects = s.elects || (s.opts.serverURL != "" && !s.sqlite)
	for _, name := range s.controllers() {
		process, err := s.startController(name)
		if err != nil {
			return err
		}
		s.children = append(s.children, process)
	}
	return nil
}

// beginElections starts the controllers anew, with a lease, once this server has others beside it.
func (s *server) beginElections() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.elects || s.ending {
		return nil
	}
	s.elects = true
	names := s.controllers()
	for i, running := range s.children {
		if !slices.Contains(names, running.name) {
			continue
		}
		running.stop(3 * time.Second)
		process, err := s.startController(running.name)
		if err != nil {
			return err
		}
		s.children[i] = process
	}
	return nil
}

// holdLocalAPIPort takes the port that k3s's API server has on loopback, until
// the process ends: a reset beside a server that hasn't ended yet fails on it.
func (s *server) holdLocalAPIPort() error {
	listener, err := net.Listen("tcp", localAPIAddress)
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	return nil
}
