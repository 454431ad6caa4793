// Package hcvault stands in for SOPS's: names of keys without the service's SDK behind them.
package hcvault

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
func (key *MasterKey) TypeToIdentifier() string      { return "hc_vault" }

var errNoCloud = errors.New("hc_vault: left out of this reader")

func split(text string) (keys []*MasterKey) {
	if text == "" {
		return nil
	}
	for _, name := range strings.Split(text, ",") {
		keys = append(keys, &MasterKey{strings.TrimSpace(name)})
	}
	return keys
}

func NewMasterKeyFromURI(uri string) (*MasterKey, error) { return &MasterKey{uri}, nil }

func NewMasterKeysFromURIs(uris string) ([]*MasterKey, error) { return split(uris), nil }
