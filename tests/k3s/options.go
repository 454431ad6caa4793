// What `k3s server` was asked for.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
)

type serverOptions struct {
	token, tokenFile, serverURL   string
	clusterInit, clusterReset     bool
	restorePath                   string
	kubeconfig, kubeconfigMode    string
	nodeName, nodeIP              string
	tlsSANs                       []string
	apiPort, supervisorPort       int
	flannelIface                  string
	disableAgent                  bool
	disableScheduler, disableCtrl bool
	datastoreEndpoint             string
	kine                          bool // the state is in SQLite
	pauseImage                    string
	kubeletArgs                   []string
	snapshotDir                   string
	snapshotRestrictions          []string
	etcdS3                        bool
	s3                            s3Flags
	secretsEncryption             bool
	clusterCIDR, serviceCIDR      string
	apiArgs, ctrlArgs             []string
}

func optionsOf(c *cli.Context) (serverOptions, error) {
	o := serverOptions{
		token: c.String("token"), tokenFile: c.String("token-file"), serverURL: c.String("server"),
		clusterInit: c.Bool("cluster-init"), clusterReset: c.Bool("cluster-reset"),
		restorePath: c.String("cluster-reset-restore-path"),
		kubeconfig:  c.String("write-kubeconfig"), kubeconfigMode: c.String("write-kubeconfig-mode"),
		nodeName: c.String("node-name"), nodeIP: c.String("node-ip"), tlsSANs: c.StringSlice("tls-san"),
		apiPort: c.Int("https-listen-port"), supervisorPort: c.Int("supervisor-port"),
		flannelIface: c.String("flannel-iface"),
		disableAgent: c.Bool("disable-agent"), disableScheduler: c.Bool("disable-scheduler"),
		disableCtrl: c.Bool("disable-controller-manager"), datastoreEndpoint: c.String("datastore-endpoint"),
		pauseImage: c.String("pause-image"), kubeletArgs: c.StringSlice("kubelet-arg"),
		snapshotDir:          c.String("etcd-snapshot-dir"),
		snapshotRestrictions: strings.Split(strings.Join(c.StringSlice("etcd-snapshot-restrictions"), ","), ","),
		etcdS3:               c.Bool("etcd-s3"),
		s3:                   s3Flags{Bucket: c.String("etcd-s3-bucket"), Endpoint: c.String("etcd-s3-endpoint"), Secret: c.String("etcd-s3-config-secret")},
		secretsEncryption:    c.Bool("secrets-encryption"),
		clusterCIDR:          c.String("cluster-cidr"), serviceCIDR: c.String("service-cidr"),
		apiArgs: c.StringSlice("kube-apiserver-arg"), ctrlArgs: c.StringSlice("kube-controller-manager-arg"),
	}
	if o.nodeName == "" {
		host, err := os.Hostname()
		if err != nil {
			return o, err
		}
		o.nodeName = host
	}
	o.nodeName = strings.ToLower(o.nodeName)
	if o.nodeIP == "" {
		ip, err := ownAddress(o.flannelIface)
		if err != nil {
			return o, err
		}
		o.nodeIP = ip
	}
	if net.ParseIP(o.nodeIP) == nil {
		return o, fmt.Errorf("invalid node-ip %q", o.nodeIP)
	}
	// A reset has no agent, and looks for it only where the address is asked of it.
	if o.flannelIface != "" && !o.clusterReset {
		if _, err := net.InterfaceByName(o.flannelIface); err != nil {
			return o, fmt.Errorf("unable to find interface %s: %w", o.flannelIface, err)
		}
	}
	for _, cidr := range []string{o.clusterCIDR, o.serviceCIDR} {
		if _, _, err := net.ParseCIDR(cidr); err != nil {
			return o, err
		}
	}
	return o, nil
}

// ownAddress is the node's where --node-ip does not say it: that of the
// interface, also in a reset, else the first of this host.
func ownAddress(flannelIface string) (string, error) {
	if flannelIface == "" {
		addresses, err := net.InterfaceAddrs()
		if err != nil {
			return "", err
		}
		if ip := firstAddress(addresses); ip != "" {
			return ip, nil
		}
		return "", errors.New("no default route or address found; pass --node-ip")
	}
	iface, err := net.InterfaceByName(flannelIface)
	if err != nil {
		return "", fmt.Errorf("unable to find interface %s: %w", flannelIface, err)
	}
	addresses, err := iface.Addrs()
	if err != nil {
		return "", err
	}
	if ip := firstAddress(addresses); ip != "" {
		return ip, nil
	}
	return "", fmt.Errorf("can't find ip for interface %s", flannelIface)
}

// firstAddress is the first global IPv4 address of these; empty: there is none.
func firstAddress(addresses []net.Addr) string {
	for _, a := range addresses {
		if ipnet, ok := a.(*net.IPNet); ok && ipnet.IP.IsGlobalUnicast() && ipnet.IP.To4() != nil {
			return ipnet.IP.String()
		}
	}
	return ""
}

// serviceIP is the address of the service "kubernetes": the first of the range.
func (o serverOptions) serviceIP() net.IP {
	ip, _, err := net.ParseCIDR(o.serviceCIDR)
	if err != nil {
		return nil
	}
	first := append(net.IP{}, ip.To16()...)
	first[len(first)-1]++
	return first
}

func (o serverOptions) sanNames() (names []string) {
	for _, s := range o.tlsSANs {
		if net.ParseIP(s) == nil {
			names = append(names, s)
		}
	}
	return names
}

func (o serverOptions) sanIPs() (ips []net.IP) {
	for _, s := range o.tlsSANs {
		if ip := net.ParseIP(s); ip != nil {
			ips = append(ips, ip)
		}
	}
	return ips
}
