// The agent's tunnel, as far as the log shows it: while the server starts, k3s
// calls its own port again and again and says at error level that it failed.
package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/sirupsen/logrus"
)

const tunnelRetry = 3 * time.Second

// callTunnel tries to connect until it works; each failure is a line.
func (s *server) callTunnel(ctx context.Context) {
	address := net.JoinHostPort(s.opts.nodeIP, fmt.Sprint(s.opts.apiPort))
	dialer := net.Dialer{Timeout: tunnelRetry}
	for ctx.Err() == nil {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.Close()
			return
		}
		logrus.WithField("url", "wss://"+address+"/v1-k3s/connect").WithError(err).Error("Remotedialer proxy error; reconnecting...")
		select {
		case <-ctx.Done():
		case <-time.After(tunnelRetry):
		}
	}
}
