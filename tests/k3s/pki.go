// Every CA and certificate of a server, in k3s's places.
package main

import (
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
)

// caFiles are the pairs that k3s keeps in the datastore.
func caFiles(l layout) map[string][2]string {
	pair := func(name string) [2]string { return [2]string{l.tls(name + ".crt"), l.tls(name + ".key")} }
	return map[string][2]string{
		"k3s-server-ca":         pair("server-ca"),
		"k3s-client-ca":         pair("client-ca"),
		"k3s-request-header-ca": pair("request-header-ca"),
		"etcd-server-ca":        pair("etcd/server-ca"),
		"etcd-peer-ca":          pair("etcd/peer-ca"),
	}
}

// ensureCAs makes the CAs, the service account key and the IPsec key that are missing.
func ensureCAs(l layout) error {
	for name, files := range caFiles(l) {
		if err := ensureCA(name, files[0], files[1]); err != nil {
			return err
		}
	}
	if !exists(l.tls("service.key")) {
		if _, err := newKey(l.tls("service.key")); err != nil {
			return err
		}
	}
	if !exists(l.cred("ipsec.psk")) {
		if err := writeFile(l.cred("ipsec.psk"), []byte(randomHex(48)), 0o600); err != nil {
			return err
		}
	}
	return ensureEncryption(l)
}

// clientSubjects are the client certificates that the client CA signs: file
// name without suffix, common name, organisation.
var clientSubjects = [][3]string{
	{"client-admin", "system:admin", "system:masters"},
	{"client-supervisor", "system:k3s-supervisor", "system:masters"},
	{"client-controller", "system:kube-controller-manager", ""},
	{"client-scheduler", "system:kube-scheduler", ""},
	{"client-kube-apiserver", "system:apiserver", "system:masters"},
	{"client-kube-proxy", "system:kube-proxy", ""},
}

// ensureLeaves makes all leaf certificates that are missing or no longer fit.
func ensureLeaves(l layout, o serverOptions) error {
	clientCA := [2]string{l.tls("client-ca.crt"), l.tls("client-ca.key")}
	serverCA := [2]string{l.tls("server-ca.crt"), l.tls("server-ca.key")}
	headerCA := [2]string{l.tls("request-header-ca.crt"), l.tls("request-header-ca.key")}
	etcdCA := [2]string{l.tls("etcd/server-ca.crt"), l.tls("etcd/server-ca.key")}
	peerCA := [2]string{l.tls("etcd/peer-ca.crt"), l.tls("etcd/peer-ca.key")}
	leaf := func(ca [2]string, file, cn string, orgs ...string) leafSpec {
		return leafSpec{caCert: ca[0], caKey: ca[1], cert: file + ".crt", key: file + ".key", cn: cn, orgs: orgs}
	}
	local := []net.IP{net.ParseIP("127.0.0.1"), net.ParseIP("::1"), net.ParseIP(o.nodeIP)}

	var all []leafSpec
	for _, s := range clientSubjects {
		spec := leaf(clientCA, l.tls(s[0]), s[1])
		if s[2] != "" {
			spec.orgs = []string{s[2]}
		}
		spec.client = true
		all = append(all, spec)
	}
	kubelet := leaf(clientCA, l.agent("client-kubelet"), "system:node:"+o.nodeName, "system:nodes")
	proxy := leaf(headerCA, l.tls("client-auth-proxy"), "system:auth-proxy")
	etcdClient := leaf(etcdCA, l.tls("etcd/client"), "etcd-client")
	kubelet.client, proxy.client, etcdClient.client = true, true, true

	api := leaf(serverCA, l.tls("serving-kube-apiserver"), "kube-apiserver")
	api.dns = append([]string{"kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local", "localhost", o.nodeName}, o.sanNames()...)
	api.ips = append(append([]net.IP{o.serviceIP()}, local...), o.sanIPs()...)
	api.server = true
	node := leaf(serverCA, l.agent("serving-kubelet"), o.nodeName)
	node.dns, node.ips, node.server = []string{o.nodeName, "localhost"}, local, true
	etcdServer := leaf(etcdCA, l.tls("etcd/server-client"), "etcd-server")
	etcdPeer := leaf(peerCA, l.tls("etcd/peer-server-client"), "etcd-peer")
	for _, spec := range []*leafSpec{&etcdServer, &etcdPeer} {
		spec.dns, spec.ips, spec.server, spec.client = []string{"localhost", o.nodeName}, local, true, true
	}
	all = append(all, kubelet, proxy, etcdClient, api, node, etcdServer, etcdPeer)
	for _, spec := range all {
		if err := ensureLeaf(spec); err != nil {
			return err
		}
	}
	return copyDerived(l)
}

// copyDerived writes the files that k3s derives from others.
func copyDerived(l layout) error {
	for from, to := range map[string]string{
		l.tls("service.key"):   l.tls("service.current.key"),
		l.tls("server-ca.crt"): l.agent("server-ca.crt"),
		l.tls("client-ca.crt"): l.agent("client-ca.crt"),
	} {
		text, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if filepath.Ext(to) == ".key" {
			mode = 0o600
		}
		if err := writeFile(to, text, mode); err != nil {
			return err
		}
	}
	for _, name := range []string{"server-ca", "client-ca"} {
		text, err := os.ReadFile(l.tls(name + ".crt"))
		if err != nil {
			return err
		}
		if err := writeFile(l.tls(name+".nochain.crt"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// certPool is a pool of the one CA in a file.
func certPool(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool, nil
}
