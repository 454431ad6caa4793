// Faults that damage a finished snapshot while the server reports success.
package main

import (
	"crypto/sha256"
	"os"
)

const trailerBytes = sha256.Size

func damage(f fault, path string) error {
	if f.is("missing-file") {
		return os.Remove(path)
	}
	if f.is("wrong-mode") {
		return os.Chmod(path, 0o644)
	}
	if !f.is("truncated", "truncated-page", "zero-byte", "bit-flip", "trailer-flip", "no-trailer", "bad-db") {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, damaged(f.name, data), 0o600)
}

// damaged gives the content as the named fault leaves it.
func damaged(name string, data []byte) []byte {
	body := len(data) - trailerBytes
	switch name {
	case "truncated": // at half: the size no longer fits a trailer
		return data[:len(data)/2+7]
	case "truncated-page": // a page missing: the size fits, the digest doesn't
		return data[:len(data)-4096]
	case "zero-byte":
		return nil
	case "bit-flip":
		data[body/2] ^= 0x10
	case "trailer-flip":
		data[len(data)-1] ^= 0x01
	case "no-trailer":
		return data[:body]
	case "bad-db": // the pages after the two meta pages are gone, the digest fits
		for i := 8192; i < body; i++ {
			data[i] = 0xff
		}
		sum := sha256.Sum256(data[:body])
		copy(data[body:], sum[:])
	}
	return data
}
