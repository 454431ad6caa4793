// Package hcvault stands in for SOPS's: names of keys without the service's SDK behind them.
package hcvault

import (
	"github.com/getsops/sops/v3/cloudkey"
)

// MasterKey is a name and no more.
type MasterKey struct{ cloudkey.Key }

func named(name string) *MasterKey { return &MasterKey{cloudkey.Key{Name: name, Kind: "hc_vault"}} }

func NewMasterKeyFromURI(uri string) (*MasterKey, error) { return named(uri), nil }

func NewMasterKeysFromURIs(uris string) ([]*MasterKey, error) {
	return cloudkey.Split(uris, named), nil
}
