// Package gcpkms stands in for SOPS's: names of keys without the service's SDK behind them.
package gcpkms

import (
	"github.com/getsops/sops/v3/cloudkey"
)

// MasterKey is a name and no more.
type MasterKey struct{ cloudkey.Key }

func named(name string) *MasterKey { return &MasterKey{cloudkey.Key{Name: name, Kind: "gcp_kms"}} }

func NewMasterKeyFromResourceID(id string) *MasterKey { return named(id) }

func MasterKeysFromResourceIDString(ids string) []*MasterKey { return cloudkey.Split(ids, named) }
