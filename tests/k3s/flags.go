// The flags of `k3s server` and `k3s etcd-snapshot`, under k3s's names and
// environment variables. Those that mean nothing to the stand-in are taken and
// ignored, so that a real server's configuration can be used as it is.
package main

import (
	"errors"

	"github.com/urfave/cli/v2"
)

func commonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "debug", EnvVars: []string{"K3S_DEBUG"}, Usage: "(logging) Turn on debug logs"},
		&cli.StringFlag{Name: "config", Aliases: []string{"c"}, EnvVars: []string{"K3S_CONFIG_FILE"}, Value: defaultConfigFile, Usage: "(config) Load configuration from `FILE`"},
		&cli.StringFlag{Name: "log", Aliases: []string{"l"}, Usage: "(logging) Log to file"},
		&cli.BoolFlag{Name: "alsologtostderr", Usage: "(logging) Log to standard error as well as file (if set)"},
		&cli.StringFlag{Name: "node-name", EnvVars: []string{"K3S_NODE_NAME"}, Usage: "(agent/node) Node name"},
		&cli.StringFlag{Name: "data-dir", Aliases: []string{"d"}, EnvVars: []string{"K3S_DATA_DIR"}, Usage: "(data) Folder to hold state"},
	}
}

// snapshotFlags are those of every `etcd-snapshot` subcommand.
func snapshotFlags() []cli.Flag {
	return append(commonFlags(),
		&cli.StringFlag{Name: "etcd-token", Aliases: []string{"t"}, EnvVars: []string{"K3S_TOKEN"}, Usage: "(cluster) Shared secret used to authenticate to etcd server"},
		&cli.StringFlag{Name: "etcd-server", Aliases: []string{"s"}, Value: "https://127.0.0.1:9345", Usage: "(cluster) Server with etcd role to connect to for snapshot management operations"},
		&cli.StringFlag{Name: "dir", Aliases: []string{"etcd-snapshot-dir"}, Usage: "(db) Directory to save etcd on-demand snapshot. (default: ${data-dir}/db/snapshots)"},
		&cli.StringFlag{Name: "name", Value: "on-demand", Usage: "(db) Set the base name of the etcd on-demand snapshot (appended with UNIX timestamp)"},
		&cli.BoolFlag{Name: "snapshot-compress", Aliases: []string{"etcd-snapshot-compress"}, Usage: "(db) Compress etcd snapshot"},
		&cli.IntFlag{Name: "snapshot-retention", Aliases: []string{"etcd-snapshot-retention"}, Value: 5, Usage: "(db) Number of snapshots to retain."},
		&cli.BoolFlag{Name: "s3", Aliases: []string{"etcd-s3"}, Usage: "(db) Enable backup to S3"},
		s3String("endpoint", defaultS3Endpoint), s3String("endpoint-ca", ""), s3Bool("skip-ssl-verify"),
		s3String("access-key", ""), s3String("secret-key", ""), s3String("session-token", ""), s3String("bucket", ""),
		s3String("bucket-lookup-type", ""), s3String("region", "us-east-1"), s3String("folder", ""), s3String("proxy", ""),
		s3String("config-secret", ""), s3Bool("insecure"), s3String("timeout", "5m0s"), s3String("retention", "5"),
	)
}

// s3Flags is what tells whether S3 was configured.
type s3Flags struct {
	Bucket   string `json:"bucket,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
	Secret   string `json:"configSecret,omitempty"`
}

const defaultS3Endpoint = "s3.amazonaws.com"

func (f s3Flags) set() bool {
	return f.Bucket != "" || f.Secret != "" || (f.Endpoint != "" && f.Endpoint != defaultS3Endpoint)
}

// noS3Client is the reason why there is no S3, which was asked for.
func noS3Client(configured bool) error {
	if configured {
		return errors.New("failed to initialize S3 client: the stand-in has no S3")
	}
	return errors.New("failed to initialize S3 client: s3 configuration was not set")
}

func s3String(name, value string) cli.Flag {
	return &cli.StringFlag{Name: "s3-" + name, Aliases: []string{"etcd-s3-" + name}, Value: value, Usage: "(db) S3 " + name}
}

func s3Bool(name string) cli.Flag {
	return &cli.BoolFlag{Name: "s3-" + name, Aliases: []string{"etcd-s3-" + name}, Usage: "(db) S3 " + name}
}

func serverFlags() []cli.Flag {
	flags := append(commonFlags(),
		&cli.StringFlag{Name: "token", Aliases: []string{"t"}, EnvVars: []string{"K3S_TOKEN"}, Usage: "(cluster) Shared secret"},
		&cli.StringFlag{Name: "token-file", EnvVars: []string{"K3S_TOKEN_FILE"}, Usage: "(cluster) File containing the token"},
		&cli.StringFlag{Name: "server", Aliases: []string{"s"}, EnvVars: []string{"K3S_URL"}, Usage: "(cluster) Server to connect to, used to join a cluster"},
		&cli.BoolFlag{Name: "cluster-init", EnvVars: []string{"K3S_CLUSTER_INIT"}, Usage: "(cluster) Initialize a new cluster using embedded Etcd"},
		&cli.BoolFlag{Name: "cluster-reset", EnvVars: []string{"K3S_CLUSTER_RESET"}, Usage: "(cluster) Forget all peers and become sole member of a new cluster"},
		&cli.StringFlag{Name: "cluster-reset-restore-path", Usage: "(db) Path to snapshot file to be restored"},
		&cli.StringFlag{Name: "datastore-endpoint", EnvVars: []string{"K3S_DATASTORE_ENDPOINT"}, Usage: "(db) Specify etcd, NATS, MySQL, Postgres, or SQLite data source name"},
		&cli.StringFlag{Name: "write-kubeconfig", Aliases: []string{"o"}, EnvVars: []string{"K3S_KUBECONFIG_OUTPUT"}, Value: "/etc/rancher/k3s/k3s.yaml", Usage: "(client) Write kubeconfig for admin client to this file"},
		&cli.StringFlag{Name: "write-kubeconfig-mode", EnvVars: []string{"K3S_KUBECONFIG_MODE"}, Usage: "(client) Write kubeconfig with this mode"},
		&cli.StringFlag{Name: "node-ip", Aliases: []string{"i"}, Usage: "(agent/networking) IPv4 address to advertise for node"},
		&cli.StringFlag{Name: "flannel-iface", Usage: "(agent/networking) Override default flannel interface"},
		&cli.StringSliceFlag{Name: "tls-san", Usage: "(listener) Additional hostnames or addresses for the TLS certificate"},
		&cli.IntFlag{Name: "https-listen-port", Value: 6443, Usage: "(listener) HTTPS listen port"},
		&cli.IntFlag{Name: "supervisor-port", Value: 9345, Usage: "(stand-in) supervisor port; k3s serves both on one"},
		&cli.BoolFlag{Name: "disable-agent", Usage: "Do not run a local agent and register a local kubelet"},
		&cli.BoolFlag{Name: "disable-scheduler", Usage: "(components) Disable Kubernetes default scheduler"},
		&cli.BoolFlag{Name: "disable-controller-manager", Usage: "(components) Disable the controller manager"},
		&cli.StringFlag{Name: "pause-image", Value: "railiance.test/pause:1", Usage: "(agent/runtime) Customized pause image"},
		&cli.StringSliceFlag{Name: "kubelet-arg", Usage: "(agent/flags) Customized flag for kubelet process"},
		&cli.StringFlag{Name: "etcd-snapshot-dir", Usage: "(db) Directory to save db snapshots"},
		&cli.StringSliceFlag{Name: "etcd-snapshot-restrictions", Usage: "(db) Settings of etcd-snapshot requests that do not count"},
		&cli.BoolFlag{Name: "etcd-s3", Usage: "(db) Enable backup to S3"},
		&cli.StringFlag{Name: "etcd-s3-bucket", Usage: "(db) S3 bucket name"},
		&cli.StringFlag{Name: "etcd-s3-endpoint", Value: defaultS3Endpoint, Usage: "(db) S3 endpoint url"},
		&cli.StringFlag{Name: "etcd-s3-config-secret", Usage: "(db) Name of secret in the kube-system namespace used to configure S3"},
		&cli.BoolFlag{Name: "secrets-encryption", EnvVars: []string{"K3S_SECRETS_ENCRYPTION"}, Usage: "(experimental/cluster) Enable secret encryption at rest"},
		&cli.StringFlag{Name: "cluster-cidr", Value: "10.42.0.0/16", Usage: "(networking) IPv4 network CIDR to use for pod IPs"},
		&cli.StringFlag{Name: "service-cidr", Value: "10.43.0.0/16", Usage: "(networking) IPv4 network CIDR to use for service IPs"},
		&cli.StringSliceFlag{Name: "kube-apiserver-arg", Usage: "(flags) Customized flag for kube-apiserver process"},
		&cli.StringSliceFlag{Name: "kube-controller-manager-arg", Usage: "(flags) Customized flag for kube-controller-manager process"},
	)
	for _, name := range ignoredStrings {
		flags = append(flags, &cli.StringSliceFlag{Name: name, Hidden: true})
	}
	for _, name := range ignoredBools {
		flags = append(flags, &cli.BoolFlag{Name: name, Hidden: true})
	}
	return flags
}

var ignoredStrings = []string{"v", "vmodule", "bind-address", "advertise-address", "advertise-port",
	"service-node-port-range", "cluster-dns", "cluster-domain", "flannel-backend", "agent-token", "agent-token-file", "disable",
	"node-label", "node-taint", "node-external-ip", "etcd-arg", "kube-scheduler-arg",
	"kube-proxy-arg", "etcd-snapshot-name", "etcd-snapshot-schedule-cron", "etcd-snapshot-retention", "write-kubeconfig-group",
	"etcd-s3-endpoint-ca", "etcd-s3-access-key", "etcd-s3-secret-key", "etcd-s3-session-token", "etcd-s3-bucket-lookup-type",
	"etcd-s3-region", "etcd-s3-folder", "etcd-s3-proxy", "etcd-s3-timeout", "etcd-s3-retention",
	"kube-cloud-controller-manager-arg", "default-local-storage-path", "node-internal-dns", "node-external-dns", "helm-job-image",
	"container-runtime-endpoint", "image-service-endpoint", "default-runtime", "image-credential-provider-bin-dir",
	"image-credential-provider-config", "airgap-extra-registry", "lb-server-port", "flannel-conf", "flannel-cni-conf", "vpn-auth", "vpn-auth-file",
	"secrets-encryption-provider", "snapshotter", "private-registry", "resolv-conf", "system-default-registry", "egress-selector-mode"}

var ignoredBools = []string{"disable-cloud-controller", "disable-helm-controller", "disable-network-policy", "disable-kube-proxy",
	"etcd-disable-snapshots", "etcd-snapshot-compress", "etcd-s3-insecure", "etcd-s3-skip-ssl-verify", "etcd-expose-metrics", "protect-kernel-defaults",
	"tls-san-security", "enable-pprof", "prefer-bundled-bin", "disable-default-registry-endpoint", "nonroot-devices", "flannel-ipv6-masq",
	"flannel-external-ip", "docker", "rootless", "selinux", "embedded-registry", "supervisor-metrics"}
