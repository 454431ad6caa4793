// Package cloudkey is what the stand-ins for SOPS's cloud key services share: a name, and the methods that SOPS
// asks of a key of any kind. It encrypts nothing.
package cloudkey

import (
	"errors"
	"strings"
)

var errNoCloud = errors.New("the key services of clouds are left out of this reader")

type Key struct{ Name, Kind string }

func (key *Key) Encrypt([]byte) error          { return errNoCloud }
func (key *Key) EncryptIfNeeded([]byte) error  { return errNoCloud }
func (key *Key) EncryptedDataKey() []byte      { return nil }
func (key *Key) SetEncryptedDataKey([]byte)    {}
func (key *Key) Decrypt() ([]byte, error)      { return nil, errNoCloud }
func (key *Key) NeedsRotation() bool           { return false }
func (key *Key) ToString() string              { return key.Name }
func (key *Key) ToMap() map[string]interface{} { return nil }
func (key *Key) TypeToIdentifier() string      { return key.Kind }

// Split makes a key of each name of a list with commas.
func Split[K any](text string, make func(name string) *K) (keys []*K) {
	if text == "" {
		return nil
	}
	for _, name := range strings.Split(text, ",") {
		keys = append(keys, make(strings.TrimSpace(name)))
	}
	return keys
}
