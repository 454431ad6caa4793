// A server without embedded etcd keeps its state in SQLite, through kine: the
// real one, a program of its own (kine/) that build.sh appends to this one.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// What build.sh writes behind the program that it appends, after its length as
// eight bytes, little-endian.
const kineMark = "standin-has-kine"

// kineSocket is k3s's place.
func kineSocket(l layout) string { return l.server("kine.sock") }

// kineProgram gives the appended program as a file in memory.
func kineProgram() (*os.File, error) {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer self.Close()
	end, err := self.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	trailer := make([]byte, 8+len(kineMark))
	if _, err := self.ReadAt(trailer, end-int64(len(trailer))); err != nil {
		return nil, err
	}
	size := int64(binary.LittleEndian.Uint64(trailer))
	begin := end - int64(len(trailer)) - size
	if string(trailer[8:]) != kineMark || size <= 0 || begin <= 0 {
		return nil, errors.New("no kine is in this program: build it with build.sh")
	}
	fd, err := unix.MemfdCreate("kine", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "kine")
	if _, err := io.Copy(file, io.NewSectionReader(self, begin, size)); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// startKine starts kine on db/state.db and returns once it answers.
func startKine(ctx context.Context, l layout, failed chan<- error) (*child, *clientv3.Client, error) {
	if err := os.MkdirAll(l.db(), 0o700); err != nil {
		return nil, nil, err
	}
	program, err := kineProgram()
	if err != nil {
		return nil, nil, err
	}
	defer program.Close()
	arguments := []string{"unix://" + kineSocket(l), l.db("state.db")}
	if interval := os.Getenv("STANDIN_KINE_COMPACT"); interval != "" {
		arguments = append(arguments, interval)
	}
	cmd := exec.Command("/proc/self/fd/3", arguments...)
	cmd.Args[0] = "kine"
	cmd.ExtraFiles = []*os.File{program}
	process, err := startChild("kine", cmd, failed)
	if err != nil {
		return nil, nil, err
	}
	client, err := kineClient(l)
	if err == nil {
		limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
		err = waitForEtcd(limited, client, process, func() {})
		cancel()
	}
	if err != nil {
		process.stop(2 * time.Second)
		return nil, nil, fmt.Errorf("kine: %w", err)
	}
	return process, client, nil
}

func kineClient(l layout) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints:   []string{"unix://" + kineSocket(l)},
		DialTimeout: 2 * time.Second,
		Logger:      zap.NewNop(),
	})
}
