package main

import (
	"net"
	"os"
)

// notifySystemd tells a service manager that asked for it (Type=notify) that
// the server is up.
func notifySystemd() {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if conn, err := net.Dial("unixgram", path); err == nil {
		_, _ = conn.Write([]byte("READY=1"))
		_ = conn.Close()
	}
}
