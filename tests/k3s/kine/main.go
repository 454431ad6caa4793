// kine as k3s runs it on a server without etcd: the API of etcd before an SQLite database. A program
// of its own, because kine and the stand-in want different releases of Kubernetes' modules.
//
//	kine LISTENER DATABASE [COMPACT-INTERVAL]
package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/k3s-io/kine/pkg/drivers/sqlite"
	"github.com/k3s-io/kine/pkg/endpoint"
	"github.com/sirupsen/logrus"
)

func main() {
	if len(os.Args) < 3 {
		logrus.Fatal("usage: kine LISTENER DATABASE [COMPACT-INTERVAL]")
	}
	interval := 5 * time.Minute
	if len(os.Args) > 3 {
		given, err := time.ParseDuration(os.Args[3])
		if err != nil {
			logrus.Fatal(err)
		}
		interval = given
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	var running sync.WaitGroup
	_, err := endpoint.Listen(ctx, endpoint.Config{
		WaitGroup:             &running,
		Listener:              os.Args[1],
		Endpoint:              "sqlite://" + os.Args[2] + "?" + sqlite.DefaultParams,
		NotifyInterval:        5 * time.Second,
		EmulatedETCDVersion:   "3.6.11",
		CompactInterval:       interval,
		CompactIntervalJitter: 5,
		CompactTimeout:        5 * time.Second,
		CompactMinRetain:      1000,
		CompactBatchSize:      1000,
		PollBatchSize:         500,
		PollInterval:          time.Second,
	})
	if err != nil {
		logrus.Fatal(err)
	}
	<-ctx.Done()
	running.Wait()
}
