// Package hckms stands in for SOPS's: names of keys without the service's SDK behind them.
package hckms

import (
	"github.com/getsops/sops/v3/cloudkey"
)

// MasterKey is a name and no more.
type MasterKey struct{ cloudkey.Key }

func named(name string) *MasterKey { return &MasterKey{cloudkey.Key{Name: name, Kind: "hckms"}} }

func NewMasterKey(id string) (*MasterKey, error) { return named(id), nil }

func NewMasterKeyFromKeyIDString(ids string) ([]*MasterKey, error) {
	return cloudkey.Split(ids, named), nil
}
