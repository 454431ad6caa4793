package main

import (
	"bytes"
	"crypto/sha256"
	"testing"
)

func sample() []byte {
	data := bytes.Repeat([]byte("0123456789abcdef"), 16384/16)
	sum := sha256.Sum256(data)
	return append(data, sum[:]...)
}

func digestFits(data []byte) bool {
	if len(data) < trailerBytes {
		return false
	}
	sum := sha256.Sum256(data[:len(data)-trailerBytes])
	return bytes.Equal(sum[:], data[len(data)-trailerBytes:])
}

func TestEachDamageShowsWhereItShould(t *testing.T) {
	if !digestFits(sample()) {
		t.Fatal("the sample itself doesn't fit")
	}
	for _, name := range []string{"truncated", "truncated-page", "zero-byte", "bit-flip", "trailer-flip", "no-trailer"} {
		if digestFits(damaged(name, sample())) {
			t.Errorf("%s: the digest still fits", name)
		}
	}
	if got := damaged("truncated-page", sample()); len(got)%512 != 32 {
		t.Errorf("truncated-page: the size gives it away: %d", len(got))
	}
	if got := damaged("bad-db", sample()); !digestFits(got) || bytes.Equal(got, sample()) {
		t.Error("bad-db must keep a fitting digest over damaged pages")
	}
}
