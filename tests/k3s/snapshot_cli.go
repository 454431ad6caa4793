// `k3s etcd-snapshot`: a client of the server's /db/snapshot, with k3s's words
// on standard error and its exit codes.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v2"
	"sigs.k8s.io/yaml"
)

func snapshotCommand() *cli.Command {
	list := append(snapshotFlags(), &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "table", Usage: "(db) List format. Default: table. Optional: json, yaml"})
	return &cli.Command{
		Name: "etcd-snapshot", Usage: "Manage etcd snapshots", Flags: snapshotFlags(),
		Action: func(c *cli.Context) error { return cli.ShowSubcommandHelp(c) },
		Subcommands: []*cli.Command{
			{Name: "save", Usage: "Trigger an immediate etcd snapshot", Flags: snapshotFlags(), Action: cliSave},
			{Name: "delete", Usage: "Delete given snapshot(s)", Flags: snapshotFlags(), Action: cliDelete},
			{Name: "ls", Aliases: []string{"list", "l"}, Usage: "List snapshots", Flags: list, Action: cliList},
			{Name: "prune", Usage: "Remove snapshots that match the name prefix that exceed the configured retention count", Flags: snapshotFlags(), Action: cliPrune},
		},
	}
}

// requestOf puts the flags that were set into a request.
func requestOf(c *cli.Context, operation string, names []string) snapshotRequest {
	r := snapshotRequest{Operation: operation, Name: names}
	if c.IsSet("dir") {
		dir := c.String("dir")
		r.Dir = &dir
	}
	if c.IsSet("snapshot-compress") {
		compress := c.Bool("snapshot-compress")
		r.Compress = &compress
	}
	if c.IsSet("snapshot-retention") {
		retention := c.Int("snapshot-retention")
		r.Retention = &retention
	}
	if c.Bool("s3") {
		r.S3 = &s3Flags{Bucket: c.String("s3-bucket"), Endpoint: c.String("s3-endpoint"), Secret: c.String("s3-config-secret")}
	}
	return r
}

// setupLog sends the log to --log, as k3s does.
func setupLog(c *cli.Context) error {
	if c.Bool("debug") {
		logrus.SetLevel(logrus.DebugLevel)
	}
	path := c.String("log")
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	var out io.Writer = file
	if c.Bool("alsologtostderr") {
		out = io.MultiWriter(file, os.Stderr)
	}
	logrus.SetOutput(out)
	return nil
}

// perform sends a request and decodes the answer.
func perform(c *cli.Context, r snapshotRequest, answer any) (fault, error) {
	if err := setupLog(c); err != nil {
		return fault{}, err
	}
	l, err := resolveDataDir(c.String("data-dir"))
	if err != nil {
		return fault{}, err
	}
	f := readFault(l)
	client, err := newSnapshotClient(c.String("etcd-server"), c.String("etcd-token"), l, f)
	if err != nil {
		return f, err
	}
	body, err := client.post("/db/snapshot", r)
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(body, answer)
}

func cliSave(c *cli.Context) error {
	if c.Args().Len() > 0 {
		return errors.New("this command does not take any arguments")
	}
	r := requestOf(c, "save", []string{c.String("name")})
	zero := 0
	r.Retention = &zero
	var result snapshotResult
	f, err := perform(c, r, &result)
	if err != nil {
		return err
	}
	return reportSaved(result, f)
}

func cliDelete(c *cli.Context) error {
	names := c.Args().Slice()
	if len(names) == 0 {
		return errors.New("no snapshots given for removal")
	}
	var result snapshotResult
	if _, err := perform(c, requestOf(c, "delete", names), &result); err != nil {
		return err
	}
	gone := map[string]bool{}
	for _, name := range result.Deleted {
		gone[name] = true
	}
	for _, name := range names {
		if gone[name] {
			logrus.Infof("Snapshot %s deleted.", name)
		} else {
			logrus.Warnf("Snapshot %s not found.", name)
		}
	}
	return nil
}

func cliPrune(c *cli.Context) error {
	r := requestOf(c, "prune", []string{c.String("name")})
	retention := c.Int("snapshot-retention")
	r.Retention = &retention
	var result snapshotResult
	if _, err := perform(c, r, &result); err != nil {
		return err
	}
	for _, name := range result.Deleted {
		logrus.Infof("Snapshot %s deleted.", name)
	}
	return nil
}

// snapshotList is what the table needs of the list.
type snapshotList struct {
	Items []struct {
		Spec   struct{ SnapshotName, Location string }
		Status struct {
			Size         string
			CreationTime time.Time
		}
	}
}

func cliList(c *cli.Context) error {
	var raw json.RawMessage
	if _, err := perform(c, requestOf(c, "list", nil), &raw); err != nil {
		return err
	}
	switch c.String("output") {
	case "json":
		fmt.Println(string(raw))
		return nil
	case "yaml":
		text, err := yaml.JSONToYAML(raw)
		fmt.Print(string(text))
		return err
	}
	var list snapshotList
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprint(table, "Name\tLocation\tSize\tCreated\n")
	for _, item := range list.Items {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", item.Spec.SnapshotName, item.Spec.Location,
			item.Status.Size, item.Status.CreationTime.Format(time.RFC3339))
	}
	return table.Flush()
}
