// Package azkv stands in for SOPS's: names of keys without the service's SDK behind them.
package azkv

import (
	"strings"

	"github.com/getsops/sops/v3/cloudkey"
)

// MasterKey is a name and no more.
type MasterKey struct{ cloudkey.Key }

func named(name string) *MasterKey { return &MasterKey{cloudkey.Key{Name: name, Kind: "azure_kv"}} }

func NewMasterKeyWithOptionalVersion(vault, key, version string) (*MasterKey, error) {
	return named(strings.Join([]string{vault, key, version}, "/")), nil
}

func MasterKeysFromURLs(urls string) ([]*MasterKey, error) { return cloudkey.Split(urls, named), nil }
