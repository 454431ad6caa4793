// What `save` prints, and the faults of the command itself.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/sirupsen/logrus"
)

// reportSaved prints one line for each snapshot. A server that took none
// without saying so gets nothing printed and exit code 0: k3s does so.
func reportSaved(result snapshotResult, f fault) error {
	if f.is("noise") {
		logrus.Warnf("Unknown flag --write-kubeconfig-mode found in config.yaml, skipping\n")
		logrus.Infof("Snapshot lost-and-found is not ours")
	}
	for _, name := range result.Created {
		switch f.name {
		case "tty-output": // the form for terminals
			fmt.Fprintf(os.Stderr, "INFO[0000] Snapshot %s saved. \n", name)
		case "old-format-output": // <= 1.29.3: zap's JSON, no "saved" line
			fmt.Fprintf(os.Stderr, `{"level":"info","ts":"%s","logger":"k3s-etcd-client","caller":"snapshot/v3_snapshot.go:97","msg":"saved","path":"%s"}`+"\n",
				time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), name)
		case "duplicate-line": // local and S3
			logrus.Infof("Snapshot %s saved.", name)
			logrus.Infof("Snapshot %s saved.", name)
		default:
			logrus.Infof("Snapshot %s saved.", name)
		}
	}
	if f.is("exit-after-save") {
		return errors.New("injected failure after the snapshot was saved")
	}
	return nil
}
