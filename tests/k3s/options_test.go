package main

import (
	"net"
	"testing"
)

func TestTheFirstAddressIsAGlobalOneOfIPv4(t *testing.T) {
	network := func(ip string) net.Addr { return &net.IPNet{IP: net.ParseIP(ip), Mask: net.CIDRMask(24, 32)} }
	if got := firstAddress([]net.Addr{network("127.0.0.1"), network("fd00::1"), network("10.0.0.2"), network("10.0.0.3")}); got != "10.0.0.2" {
		t.Fatalf("got %q", got)
	}
	if got := firstAddress(nil); got != "" {
		t.Fatalf("got %q", got)
	}
}

func TestAnInterfaceThatIsNotThereGivesNoAddress(t *testing.T) {
	if ip, err := ownAddress("no-such-iface"); err == nil {
		t.Fatalf("got %q", ip)
	}
}
