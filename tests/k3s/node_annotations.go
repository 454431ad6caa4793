// What k3s writes about a server at its Node: the effective arguments and
// environment with secrets masked, and the etcd member. It is in every snapshot.
package main

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"os"
	"strings"
)

const maskedValue = "********"

// Arguments and variables whose value is masked.
var maskedNames = map[string]bool{
	"K3S_TOKEN": true, "K3S_DATASTORE_ENDPOINT": true, "K3S_AGENT_TOKEN": true, "K3S_CLUSTER_SECRET": true,
	"AWS_ACCESS_KEY_ID": true, "AWS_SECRET_ACCESS_KEY": true,
	"--token": true, "-t": true, "--agent-token": true, "--datastore-endpoint": true, "--cluster-secret": true,
	"--etcd-s3-access-key": true, "--etcd-s3-secret-key": true,
}

// nodeArguments gives the arguments, each value an entry of its own.
func nodeArguments(args []string) []string {
	out := []string{}
	for _, arg := range args {
		if name, value, ok := strings.Cut(arg, "="); ok && strings.HasPrefix(arg, "--") {
			out = append(out, name, value)
		} else {
			out = append(out, arg)
		}
	}
	for i := 0; i+1 < len(out); i++ {
		if maskedNames[out[i]] {
			out[i+1] = maskedValue
		}
	}
	return out
}

// nodeEnvironment gives the variables that begin with K3S_.
func nodeEnvironment(environ []string) map[string]string {
	out := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "K3S_") {
			continue
		}
		if maskedNames[name] {
			value = maskedValue
		}
		out[name] = value
	}
	return out
}

func (s *server) nodeAnnotations() (map[string]string, error) {
	args, err := json.Marshal(nodeArguments(effectiveArgs))
	if err != nil {
		return nil, err
	}
	env, err := json.Marshal(nodeEnvironment(os.Environ()))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append(append([]byte{}, args...), env...))
	out := map[string]string{
		"k3s.io/node-args":        string(args),
		"k3s.io/node-env":         string(env),
		"k3s.io/node-config-hash": base32.StdEncoding.EncodeToString(sum[:]),
		"k3s.io/hostname":         s.opts.nodeName,
		"k3s.io/internal-ip":      s.opts.nodeIP,
	}
	if s.sqlite {
		return out, nil
	}
	member, err := memberName(s.layout.etcd(), s.opts.nodeName)
	out["etcd.k3s.cattle.io/node-name"] = member
	out["etcd.k3s.cattle.io/node-address"] = s.opts.nodeIP
	return out, err
}
