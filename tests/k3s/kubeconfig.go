// The kubeconfigs that k3s writes: the admin's in /etc/rancher/k3s, the
// components' in server/cred.
package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/sirupsen/logrus"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"k8s.io/client-go/tools/clientcmd"
)

// kubeconfig builds one with everything inline, under k3s's names.
func kubeconfig(caPath, certPath, keyPath, server string) ([]byte, error) {
	var text [3][]byte
	for i, path := range []string{caPath, certPath, keyPath} {
		var err error
		if text[i], err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["default"] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: text[0]}
	config.AuthInfos["default"] = &clientcmdapi.AuthInfo{ClientCertificateData: text[1], ClientKeyData: text[2]}
	config.Contexts["default"] = &clientcmdapi.Context{Cluster: "default", AuthInfo: "default"}
	config.CurrentContext = "default"
	return clientcmd.Write(*config)
}

// apiURL is where this host reaches the API server.
func apiURL(o serverOptions) string { return fmt.Sprintf("https://127.0.0.1:%d", o.apiPort) }

// writeKubeconfig writes one for a client certificate, with the server CA that the disk has.
func writeKubeconfig(l layout, o serverOptions, path, cert string, mode os.FileMode) error {
	text, err := kubeconfig(l.tls("server-ca.crt"), cert+".crt", cert+".key", apiURL(o))
	if err != nil {
		return err
	}
	return writeFile(path, text, mode)
}

// writeAdminKubeconfig writes the one of /etc/rancher/k3s.
func writeAdminKubeconfig(l layout, o serverOptions) error {
	mode := os.FileMode(0o600)
	if o.kubeconfigMode != "" {
		m, err := strconv.ParseUint(o.kubeconfigMode, 8, 32)
		if err != nil {
			return fmt.Errorf("write-kubeconfig-mode: %w", err)
		}
		mode = os.FileMode(m)
	}
	if err := writeKubeconfig(l, o, o.kubeconfig, l.tls("client-admin"), mode); err != nil {
		return err
	}
	logrus.Infof("Wrote kubeconfig %s", o.kubeconfig)
	return nil
}

// writeKubeconfigs writes all of them.
func writeKubeconfigs(l layout, o serverOptions) error {
	files := map[string]string{
		l.cred("admin.kubeconfig"):      l.tls("client-admin"),
		l.cred("supervisor.kubeconfig"): l.tls("client-supervisor"),
		l.cred("controller.kubeconfig"): l.tls("client-controller"),
		l.cred("scheduler.kubeconfig"):  l.tls("client-scheduler"),
		l.cred("api-server.kubeconfig"): l.tls("client-kube-apiserver"),
		l.agent("kubelet.kubeconfig"):   l.agent("client-kubelet"),
		l.agent("kubeproxy.kubeconfig"): l.tls("client-kube-proxy"),
	}
	for path, cert := range files {
		if err := writeKubeconfig(l, o, path, cert, 0o600); err != nil {
			return err
		}
	}
	return writeAdminKubeconfig(l, o)
}
