// The configuration files of containerd, CNI and the kubelet.
package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
	"sigs.k8s.io/yaml"
)

const (
	containerdState  = "/run/k3s/containerd"
	containerdSocket = containerdState + "/containerd.sock"
)

func writeNodeConfig(l layout, o serverOptions) error {
	for _, dir := range []string{l.agent("containerd"), containerdState, l.agent("etc")} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return err
		}
	}
	kubelet, err := yaml.Marshal(kubeletConfig(l))
	if err != nil {
		return err
	}
	for path, text := range map[string][]byte{
		l.agent("etc/containerd/config.toml"):        []byte(containerdConfig(l, o)),
		l.agent("etc/cni/net.d/10-standin.conflist"): []byte(cniConfig(o.nodeIP)),
		l.agent("etc/kubelet.yaml"):                  kubelet,
	} {
		if err := writeFile(path, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// containerdConfig is for containerd 1.6 and newer. restrict_oom_score_adj:
// without CAP_SYS_RESOURCE runc could not lower the score.
func containerdConfig(l layout, o serverOptions) string {
	return fmt.Sprintf(`version = 2
root = %q
state = %q
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
  address = %q

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  restrict_oom_score_adj = true
  disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = %q

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = %q
  conf_dir = %q
`, l.agent("containerd"), containerdState, containerdSocket, o.pauseImage, snapshotter(l),
		cniBinDir(), l.agent("etc/cni/net.d"))
}

// snapshotter is overlayfs, or copies where the disk can't carry overlays.
func snapshotter(l layout) string {
	dir, err := os.MkdirTemp(l.agent(), "overlay-check")
	if err != nil {
		return "native"
	}
	defer os.RemoveAll(dir)
	for _, sub := range []string{"lower", "upper", "work", "merged"} {
		if os.Mkdir(filepath.Join(dir, sub), 0o700) != nil {
			return "native"
		}
	}
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", dir)
	if unix.Mount("overlay", filepath.Join(dir, "merged"), "overlay", 0, options) != nil {
		return "native"
	}
	_ = unix.Unmount(filepath.Join(dir, "merged"), unix.MNT_DETACH)
	return "overlayfs"
}

// cniBinDir is where host-local lies: in PATH, as k3s wants it, or where the
// distributions put it.
func cniBinDir() string {
	if path, err := exec.LookPath("host-local"); err == nil {
		return filepath.Dir(path)
	}
	for _, dir := range []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"} {
		if exists(filepath.Join(dir, "host-local")) {
			return dir
		}
	}
	return ""
}

// podSubnet is this node's part of the pods' addresses: by the last number of its own.
func podSubnet(nodeIP string) string {
	number := 0
	if ip := net.ParseIP(nodeIP).To4(); ip != nil {
		number = (int(ip[3]) + 255) % 256
	}
	return fmt.Sprintf("10.42.%d.0/24", number)
}

func cniConfig(nodeIP string) string {
	return `{
  "cniVersion": "0.4.0",
  "name": "cbr0",
  "plugins": [
    {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
     "ipam": {"type": "host-local", "ranges": [[{"subnet": "` + podSubnet(nodeIP) + `"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`
}

func kubeletConfig(l layout) map[string]any {
	return map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"containerRuntimeEndpoint":    "unix://" + containerdSocket,
		"address":                     "0.0.0.0",
		"cgroupDriver":                "cgroupfs",
		"failSwapOn":                  false,
		"registerNode":                true,
		"resolvConf":                  "/etc/resolv.conf",
		"clusterDomain":               "cluster.local",
		"tlsCertFile":                 l.agent("serving-kubelet.crt"),
		"tlsPrivateKeyFile":           l.agent("serving-kubelet.key"),
		"enforceNodeAllocatable":      []string{},
		"evictionHard":                map[string]string{"imagefs.available": "1%", "nodefs.available": "1%", "memory.available": "50Mi"},
		"imageGCHighThresholdPercent": 100,
		"imageGCLowThresholdPercent":  99,
		"serializeImagePulls":         false,
		"syncFrequency":               "10s",
		"nodeStatusUpdateFrequency":   "5s",
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false},
			"webhook":   map[string]any{"enabled": true},
			"x509":      map[string]any{"clientCAFile": l.agent("client-ca.crt")},
		},
		"authorization": map[string]any{"mode": "Webhook"},
	}
}
