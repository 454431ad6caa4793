// kube-apiserver, kube-controller-manager and kube-scheduler, with the
// arguments that matter of those that k3s gives them.
package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// datastoreArgs says where the API server keeps its state.
func datastoreArgs(l layout, o serverOptions) []string {
	if o.kine {
		return []string{"--etcd-servers=unix://" + kineSocket(l)}
	}
	return []string{
		"--etcd-servers=" + etcdEndpoint,
		"--etcd-cafile=" + l.tls("etcd/server-ca.crt"),
		"--etcd-certfile=" + l.tls("etcd/client.crt"),
		"--etcd-keyfile=" + l.tls("etcd/client.key"),
	}
}

func startAPIServer(l layout, o serverOptions, failed chan<- error) (*child, error) {
	args := append(datastoreArgs(l, o), []string{
		"--secure-port=" + strconv.Itoa(o.apiPort),
		"--bind-address=0.0.0.0",
		"--advertise-address=" + o.nodeIP,
		"--tls-cert-file=" + l.tls("serving-kube-apiserver.crt"),
		"--tls-private-key-file=" + l.tls("serving-kube-apiserver.key"),
		"--client-ca-file=" + l.tls("client-ca.crt"),
		"--service-cluster-ip-range=" + o.serviceCIDR,
		"--service-account-key-file=" + l.tls("service.key"),
		"--service-account-signing-key-file=" + l.tls("service.current.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--api-audiences=https://kubernetes.default.svc.cluster.local,k3s",
		"--requestheader-client-ca-file=" + l.tls("request-header-ca.crt"),
		"--requestheader-allowed-names=system:auth-proxy",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file=" + l.tls("client-auth-proxy.crt"),
		"--proxy-client-key-file=" + l.tls("client-auth-proxy.key"),
		"--kubelet-certificate-authority=" + l.tls("server-ca.crt"),
		"--kubelet-client-certificate=" + l.tls("client-kube-apiserver.crt"),
		"--kubelet-client-key=" + l.tls("client-kube-apiserver.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--profiling=false",
		"--v=0",
	}...)
	if l.encrypts {
		args = append(args, "--encryption-provider-config="+encryptionConfigFile(l), "--encryption-provider-config-automatic-reload=true")
	}
	return startChild("kube-apiserver", componentCmd("kube-apiserver", append(args, flagsOf(o.apiArgs)...)...), failed)
}

func startControllerManager(l layout, o serverOptions, elect bool, failed chan<- error) (*child, error) {
	config := l.cred("controller.kubeconfig")
	args := []string{
		"--kubeconfig=" + config, "--authentication-kubeconfig=" + config, "--authorization-kubeconfig=" + config,
		"--bind-address=127.0.0.1",
		"--leader-elect=" + strconv.FormatBool(elect),
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + l.tls("service.current.key"),
		"--root-ca-file=" + l.tls("server-ca.crt"),
		"--cluster-signing-cert-file=" + l.tls("client-ca.crt"),
		"--cluster-signing-key-file=" + l.tls("client-ca.key"),
		"--allocate-node-cidrs=true",
		"--cluster-cidr=" + o.clusterCIDR,
		"--service-cluster-ip-range=" + o.serviceCIDR,
		"--profiling=false",
		"--v=0",
	}
	return startChild("kube-controller-manager", componentCmd("kube-controller-manager", append(args, flagsOf(o.ctrlArgs)...)...), failed)
}

func startScheduler(l layout, elect bool, failed chan<- error) (*child, error) {
	config := l.cred("scheduler.kubeconfig")
	return startChild("kube-scheduler", componentCmd("kube-scheduler",
		"--kubeconfig="+config, "--authentication-kubeconfig="+config, "--authorization-kubeconfig="+config,
		"--bind-address=127.0.0.1",
		"--leader-elect="+strconv.FormatBool(elect),
		"--profiling=false",
		"--v=0",
	), failed)
}

// adminClient is a client with the supervisor's rights.
func adminClient(l layout) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", l.cred("supervisor.kubeconfig"))
	if err != nil {
		return nil, err
	}
	config.Timeout = 10 * time.Second
	return kubernetes.NewForConfig(config)
}

// waitForAPI waits until /readyz is fine, at most two minutes.
func waitForAPI(ctx context.Context, client *kubernetes.Clientset) error {
	deadline := time.After(2 * time.Minute)
	for {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline:
			return fmt.Errorf("kube-apiserver did not become ready: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
