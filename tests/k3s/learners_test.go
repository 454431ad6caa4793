package main

import (
	"errors"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	corev1 "k8s.io/api/core/v1"
)

func TestALearnerThatDoesNotGetOnHasStalled(t *testing.T) {
	begin := time.Unix(1000, 0)
	var progress learnerProgress
	if progress.note(7, "c", 10, begin) || progress.note(7, "c", 11, begin.Add(4*time.Minute)) {
		t.Fatal("one that gets on has stalled")
	}
	if progress.note(7, "c", 11, begin.Add(9*time.Minute)) {
		t.Fatal("five minutes are given")
	}
	if !progress.note(7, "c", 11, begin.Add(9*time.Minute+time.Second)) {
		t.Fatal("more than five minutes without an entry")
	}
	if progress.note(8, "c", 1, begin.Add(10*time.Minute)) {
		t.Fatal("another member begins anew")
	}
}

func TestTheConditionSaysWhatTheMemberIs(t *testing.T) {
	for _, c := range []struct {
		member    *etcdserverpb.Member
		unhealthy error
		status    corev1.ConditionStatus
		reason    string
	}{
		{&etcdserverpb.Member{}, nil, corev1.ConditionTrue, "MemberNotLearner"},
		{&etcdserverpb.Member{IsLearner: true}, nil, corev1.ConditionFalse, "MemberIsLearner"},
		{&etcdserverpb.Member{}, errors.New("no answer"), corev1.ConditionFalse, "Unhealthy"},
		{nil, nil, corev1.ConditionFalse, "NotAMember"},
	} {
		if got := voterStatus(c.member, c.unhealthy); got.Status != c.status || got.Reason != c.reason {
			t.Errorf("%s: %+v", c.reason, got)
		}
	}
}
