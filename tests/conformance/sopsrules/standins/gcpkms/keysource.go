// Package gcpkms stands in for SOPS's: names of keys without the service's SDK behind them.
package gcpkms

import (
	"errors"
	"strings"
)

// MasterKey has the methods that SOPS asks of a key of any kind; it encrypts nothing.
type MasterKey struct{ name string }

func (key *MasterKey) Encrypt([]byte) error          { return errNoCloud }
func (key *MasterKey) EncryptIfNeeded([]byte) error  { return errNoCloud }
func (key *MasterKey) EncryptedDataKey() []byte      { return nil }
func (key *MasterKey) SetEncryptedDataKey([]byte)    {}
func (key *MasterKey) Decrypt() ([]byte, error)      { return nil, errNoCloud }
func (key *MasterKey) NeedsRotation() bool           { return false }
func (key *MasterKey) ToString() string              { return key.name }
func (key *MasterKey) ToMap() map[string]interface{} { return nil }
func (key *MasterKey) TypeToIdentifier() string      { return "gcp_kms" }

var errNoCloud = errors.New("gcp_kms: left out of this reader")

func split(text string) (keys []*MasterKey) {
	if text == "" {
		return nil
	}
	for _, name := range strings.Split(text, ",") {
		keys = append(keys, &MasterKey{strings.TrimSpace(name)})
	}
	return keys
}

func NewMasterKeyFromResourceID(id string) *MasterKey { return &MasterKey{id} }

func MasterKeysFromResourceIDString(ids string) []*MasterKey { return split(ids) }
