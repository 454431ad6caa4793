// k3s: a stand-in for k3s, made of the upstream parts that k3s is made of, with
// k3s's command line and file layout. It is a test bed, not a distribution.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v2"
)

const commit = "stand-in of upstream parts, not k3s"

// version is the one that we stand in for. K3S_STANDIN_VERSION claims another,
// for tests of what checks versions: the parts stay the same.
var version = func() string {
	if claimed := os.Getenv("K3S_STANDIN_VERSION"); claimed != "" {
		return claimed
	}
	return "v1.34.4+standin"
}()

func main() {
	if runComponent(filepath.Base(os.Args[0]), os.Args[1:]) {
		return
	}
	if len(os.Args) > 1 && (os.Args[1] == "kubectl" || os.Args[1] == "etcd") {
		useAdminKubeconfig(os.Args[1])
		runComponent(os.Args[1], os.Args[2:])
	}
	if len(os.Args) > 1 && os.Args[1] == "ctr" {
		runCtr(os.Args[2:])
	}
	err := run(os.Args)
	var newer newerOnDisk
	if errors.As(err, &newer) {
		logrus.Fatal(newer.Error())
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		logrus.Fatalf("Error: %v", err)
	}
}

// runCtr becomes containerd's client, on the server's socket.
func runCtr(args []string) {
	cmd := ctr(args...)
	if cmd.Err == nil {
		cmd.Err = syscall.Exec(cmd.Path, cmd.Args, os.Environ())
	}
	logrus.Fatalf("Error: ctr: %v", cmd.Err)
}

// useAdminKubeconfig lets `k3s kubectl` find the server's kubeconfig, as k3s does.
func useAdminKubeconfig(command string) {
	const admin = "/etc/rancher/k3s/k3s.yaml"
	if command == "kubectl" && os.Getenv("KUBECONFIG") == "" && exists(admin) {
		_ = os.Setenv("KUBECONFIG", admin)
	}
}

func run(args []string) error {
	cli.VersionPrinter = func(c *cli.Context) {
		fmt.Printf("k3s version %s (%s)\ngo version %s\n", version, commit, runtime.Version())
	}
	app := cli.NewApp()
	app.Name = "k3s"
	app.Usage = "Kubernetes, but small and simple (stand-in for tests)"
	app.Version = version
	app.DisableSliceFlagSeparator = true
	app.Commands = []*cli.Command{
		{Name: "server", Usage: "Run management server", Flags: serverFlags(), Action: runServer},
		snapshotCommand(),
		tokenCommand(),
	}
	merged, err := withConfigFile(args)
	if err != nil {
		return err
	}
	effectiveArgs = merged[1:]
	return app.Run(merged)
}

// effectiveArgs are the arguments with those of the configuration files.
var effectiveArgs []string

func withConfigFile(args []string) ([]string, error) {
	if len(args) < 2 {
		return args, nil
	}
	switch args[1] {
	case "server":
		return mergeConfig(args, 2, serverFlags())
	case "etcd-snapshot":
		return mergeConfig(args, 3, snapshotFlags())
	}
	return args, nil
}
