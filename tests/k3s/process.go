// Child processes that can't outlive the server.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// shutdownRequest is an end that a part of the running server asks for. It is
// logged at error level and isn't an error of the command: k3s exits with 0.
type shutdownRequest struct{ reason error }

func (r shutdownRequest) Error() string { return r.reason.Error() }

// child is a started component.
type child struct {
	name     string
	cmd      *exec.Cmd
	done     chan struct{}
	stopping atomic.Bool
}

type spawnRequest struct {
	cmd   *exec.Cmd
	reply chan error
}

// The kernel sends a parent-death signal when the *thread* that forked ends, so
// one locked thread starts all children and lives as long as the process.
var spawner = func() chan<- spawnRequest {
	requests := make(chan spawnRequest)
	go func() {
		runtime.LockOSThread()
		for r := range requests {
			r.reply <- r.cmd.Start()
		}
	}()
	return requests
}()

// startChild runs a program until it ends or stop is called. When it ends by
// itself, failed is told (once; nil: nobody cares).
func startChild(name string, cmd *exec.Cmd, failed chan<- error) (*child, error) {
	if cmd.Stdout == nil {
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	}
	// A group of its own: a terminal's interrupt reaches the server alone, which
	// then stops the children in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	reply := make(chan error, 1)
	spawner <- spawnRequest{cmd, reply}
	if err := <-reply; err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := &child{name: name, cmd: cmd, done: make(chan struct{})}
	go func() {
		err := cmd.Wait()
		close(c.done)
		if !c.stopping.Load() && failed != nil {
			failed <- shutdownRequest{fmt.Errorf("%s exited: %v", name, err)}
		}
	}()
	return c, nil
}

// componentCmd is this binary under another argv[0].
func componentCmd(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = name
	return cmd
}

// stop asks the child to end and waits; after the grace it is killed.
func (c *child) stop(grace time.Duration) {
	if c == nil {
		return
	}
	c.stopping.Store(true)
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(grace):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}
