// Where k3s keeps its files, relative to its data directory.
package main

import (
	"os"
	"path/filepath"
)

const defaultDataDir = "/var/lib/rancher/k3s"

// layout names the files of one server. Every path is absolute.
type layout struct {
	data     string
	encrypts bool // --secrets-encryption: only then are its files known
}

func (l layout) server(p ...string) string { return l.join("server", p) }
func (l layout) agent(p ...string) string  { return l.join("agent", p) }
func (l layout) tls(p ...string) string    { return l.join("server/tls", p) }
func (l layout) cred(p ...string) string   { return l.join("server/cred", p) }
func (l layout) db(p ...string) string     { return l.join("server/db", p) }
func (l layout) etcd(p ...string) string   { return l.join("server/db/etcd", p) }

func (l layout) join(sub string, p []string) string {
	return filepath.Join(append([]string{l.data, sub}, p...)...)
}

// resolveDataDir gives the absolute data directory for the value of --data-dir:
// empty means k3s's default, which for other users than root is in their home.
func resolveDataDir(flag string) (layout, error) {
	if flag == "" {
		flag = defaultDataDir
		if os.Getuid() != 0 {
			flag = filepath.Join(os.Getenv("HOME"), ".rancher/k3s")
		}
	}
	abs, err := filepath.Abs(flag)
	return layout{data: abs}, err
}

// exists tells whether a path can be looked up.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// writeFile writes a whole file through a temporary one beside it, so that a
// reader never sees half of it.
func writeFile(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, content, mode); err != nil {
		return err
	}
	if err := os.Chmod(tmp, mode); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
