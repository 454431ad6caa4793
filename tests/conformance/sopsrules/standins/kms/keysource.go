// Package kms stands in for SOPS's: names of keys without the service's SDK behind them.
package kms

import (
	"github.com/getsops/sops/v3/cloudkey"
)

// MasterKey is a name and no more.
type MasterKey struct{ cloudkey.Key }

func named(name string) *MasterKey { return &MasterKey{cloudkey.Key{Name: name, Kind: "kms"}} }

func NewMasterKeyWithProfile(arn, role string, context map[string]*string, profile string) *MasterKey {
	return named(arn)
}

func MasterKeysFromArnString(arns string, context map[string]*string, profile string) []*MasterKey {
	return cloudkey.Split(arns, named)
}
