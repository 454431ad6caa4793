// The node's part of `k3s server`: containerd, kubelet, kube-proxy, and the
// labels that k3s gives to a server's node.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/sirupsen/logrus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// startNode returns when the node has registered and has its labels.
func (s *server) startNode(ctx context.Context) error {
	if err := writeNodeConfig(s.layout, s.opts); err != nil {
		return err
	}
	logFile, err := os.OpenFile(s.agent("containerd/containerd.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer logFile.Close()
	containerd := exec.Command("containerd", "--config", s.agent("etc/containerd/config.toml"))
	containerd.Stdout, containerd.Stderr = logFile, logFile
	if err := s.run("containerd", containerd); err != nil {
		return err
	}
	if err := s.waitOrFail(ctx, waitForContainerd); err != nil {
		return err
	}
	images, err := s.importImages()
	if err != nil {
		return err
	}
	go s.watchImages(ctx, images)
	kubelet := append([]string{
		"--config=" + s.agent("etc/kubelet.yaml"),
		"--kubeconfig=" + s.agent("kubelet.kubeconfig"),
		"--hostname-override=" + s.opts.nodeName,
		"--node-ip=" + s.opts.nodeIP,
		"--v=0",
	}, flagsOf(s.opts.kubeletArgs)...)
	if err := s.run("kubelet", componentCmd("kubelet", kubelet...)); err != nil {
		return err
	}
	proxy := componentCmd("kube-proxy",
		"--kubeconfig="+s.agent("kubeproxy.kubeconfig"), "--proxy-mode=iptables",
		"--hostname-override="+s.opts.nodeName, "--cluster-cidr="+s.opts.clusterCIDR,
		// The kernel's table is the host's too: its limits stay as they are.
		"--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0s", "--conntrack-tcp-timeout-close-wait=0s",
		"--healthz-bind-address=127.0.0.1:10256", "--v=0")
	if err := s.run("kube-proxy", proxy); err != nil {
		return err
	}
	if err := s.waitOrFail(ctx, s.labelNode); err != nil {
		return err
	}
	return s.ensureNodePassword(ctx)
}

func (s *server) run(name string, cmd *exec.Cmd) error {
	process, err := startChild(name, cmd, s.failed)
	if err == nil {
		s.adopt(process)
	}
	return err
}

func flagsOf(args []string) (out []string) {
	for _, arg := range args {
		out = append(out, "--"+arg)
	}
	return out
}

// ctr is a command of containerd's client in the cluster's namespace.
func ctr(args ...string) *exec.Cmd {
	return exec.Command("ctr", append([]string{"--address", containerdSocket, "--namespace", "k8s.io"}, args...)...)
}

func waitForContainerd(ctx context.Context) error {
	deadline := time.After(time.Minute)
	for {
		err := ctr("version").Run()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline:
			return fmt.Errorf("containerd did not answer: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// labelNode waits for the node object and gives it k3s's role labels and annotations.
func (s *server) labelNode(ctx context.Context) error {
	labels := map[string]string{"node-role.kubernetes.io/control-plane": "true"}
	if !s.sqlite {
		labels["node-role.kubernetes.io/etcd"] = "true"
	}
	annotations, err := s.nodeAnnotations()
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels, "annotations": annotations}})
	if err != nil {
		return err
	}
	deadline := time.After(2 * time.Minute)
	for {
		_, err := s.kube.CoreV1().Nodes().Patch(ctx, s.opts.nodeName, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
		if err == nil {
			return nil
		}
		if !apierrors.IsNotFound(err) {
			logrus.Warnf("Failed to label node %s: %v", s.opts.nodeName, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline:
			return fmt.Errorf("node %s did not register: %w", s.opts.nodeName, err)
		case <-time.After(300 * time.Millisecond):
		}
	}
}
