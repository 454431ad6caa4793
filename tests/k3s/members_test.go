package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
)

func member(name, address string) etcdMember {
	return etcdMember{Name: name, PeerURLs: []string{"https://" + address + ":2380"}, ClientURLs: []string{"https://" + address + ":2379"}}
}

func TestANewServerIsAddedBesideTheMembers(t *testing.T) {
	plan, err := planJoin([]etcdMember{member("a-00000001", "10.0.0.1"), member("b-00000002", "10.0.0.2")}, "c-00000003", "c", "10.0.0.3", "10.0.0.2")
	if err != nil || !plan.add {
		t.Fatalf("%+v, %v", plan, err)
	}
	if want := []string{"a-00000001=https://10.0.0.1:2380", "b-00000002=https://10.0.0.2:2380"}; !slices.Equal(plan.cluster, want) {
		t.Errorf("cluster %q", plan.cluster)
	}
	if want := []string{"https://10.0.0.2:2379", "https://10.0.0.1:2379"}; !slices.Equal(plan.endpoints, want) {
		t.Errorf("the server of --server is asked first, got %q", plan.endpoints)
	}
}

func TestAMemberThatNeverStartedIsThisServer(t *testing.T) {
	added := member("", "10.0.0.3")
	added.ClientURLs, added.IsLearner = nil, true
	plan, err := planJoin([]etcdMember{member("a-00000001", "10.0.0.1"), added}, "c-00000003", "c", "10.0.0.3", "10.0.0.1")
	if err != nil || plan.add {
		t.Fatalf("%+v, %v", plan, err)
	}
	if want := "c-00000003=https://10.0.0.3:2380"; !slices.Contains(plan.cluster, want) {
		t.Errorf("cluster %q", plan.cluster)
	}
}

func TestAStaleMemberOfTheSameNodeIsRefused(t *testing.T) {
	_, err := planJoin([]etcdMember{member("a-00000001", "10.0.0.1"), member("bed-c-0000000f", "10.0.0.3")}, "bed-c-00000003", "bed-c", "10.0.0.3", "10.0.0.1")
	if !errors.Is(err, errDuplicateName) {
		t.Fatal(err)
	}
}

func TestLearnersAreNotAsked(t *testing.T) {
	learner := member("b-00000002", "10.0.0.2")
	learner.IsLearner = true
	plan, err := planJoin([]etcdMember{member("a-00000001", "10.0.0.1"), learner}, "c-00000003", "c", "10.0.0.3", "10.0.0.1")
	if err != nil || !slices.Equal(plan.endpoints, []string{"https://10.0.0.1:2379"}) {
		t.Fatalf("%+v, %v", plan, err)
	}
}

// A node of one letter isn't known again: so k3s has it.
func TestTheNodeOfAMember(t *testing.T) {
	for name, want := range map[string]string{"bed-c1-0123abcd": "bed-c1", "plain": "plain", "c-0123abcd": "c-0123abcd", "": ""} {
		if got := nodeOfMember(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}

func TestAMemberIsOneByNameAndAddress(t *testing.T) {
	members := []*etcdserverpb.Member{{Name: "a-1", PeerURLs: []string{"https://192.0.2.1:2380"}}, {Name: "b-2"}}
	if err := notAMember(members, "a-1", "https://192.0.2.1:2380"); err != nil {
		t.Fatal(err)
	}
	for name, peer := range map[string]string{"a-1": "https://192.0.2.2:2380", "a-2": "https://192.0.2.1:2380", "b-2": "https://192.0.2.3:2380"} {
		err := notAMember(members, name, peer)
		if want := "Found [a-1=https://192.0.2.1:2380], expect: " + name + "=" + peer; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Fatalf("%v, not %s", err, want)
		}
	}
}
