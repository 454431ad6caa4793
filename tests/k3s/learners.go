// The leader's care for the members: learners are promoted once they have caught
// up, those that don't get on are removed, and each Node says what its member is.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	learnerTick        = 2 * time.Second // k3s: 15 s
	learnerMaxStall    = 5 * time.Minute
	memberCallTimeout  = 10 * time.Second
	learnerProgressKey = "k3s/etcd/learnerProgress"
	voterCondition     = corev1.NodeConditionType("EtcdIsVoter")
	memberAnnotation   = "etcd.k3s.cattle.io/node-name"
)

// learnerProgress is the value of learnerProgressKey.
type learnerProgress struct {
	ID               uint64      `json:"id,omitempty"`
	Name             string      `json:"name,omitempty"`
	RaftAppliedIndex uint64      `json:"raftAppliedIndex,omitempty"`
	LastProgress     metav1.Time `json:"lastProgress,omitempty"`
}

// note takes in how far the member is now, and tells whether it has stalled for
// too long.
func (p *learnerProgress) note(id uint64, name string, applied uint64, now time.Time) bool {
	if p.ID != id || p.Name != name {
		*p = learnerProgress{ID: id, Name: name, LastProgress: metav1.NewTime(now)}
	}
	if p.RaftAppliedIndex < applied {
		p.RaftAppliedIndex = applied
		p.LastProgress = metav1.NewTime(now)
	}
	return now.Sub(p.LastProgress.Time) > learnerMaxStall
}

// manageMembers runs until the server ends; only the leader's does anything.
func (s *server) manageMembers(ctx context.Context) {
	for sleep(ctx, learnerTick) {
		if err := s.manageOnce(ctx); err != nil && ctx.Err() == nil {
			logrus.Debugf("Failed to manage etcd members: %v", err)
		}
	}
}

func (s *server) manageOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, memberCallTimeout)
	defer cancel()
	client := s.etcd
	status, err := client.Status(ctx, etcdEndpoint)
	if err != nil || status.IsLearner {
		return err
	}
	list, err := client.MemberList(ctx)
	if err != nil {
		return err
	}
	// Before another server's controllers can run, those of this one must ask for the lease.
	if len(list.Members) > 1 {
		if err := s.beginElections(); err != nil {
			return err
		}
	}
	if status.Header.MemberId != status.Leader {
		return nil
	}
	for _, member := range list.Members {
		if member.IsLearner && !readFault(s.layout).is("no-promote") {
			if err := promote(ctx, client, member); err != nil {
				logrus.Errorf("Failed to track learner progress towards promotion: %v", err)
			}
		}
	}
	if !s.web.ready.Load() {
		return nil
	}
	return s.tellNodes(ctx, client, list.Members)
}

// promote makes the learner a voter, or notes how far it is.
func promote(ctx context.Context, client *clientv3.Client, member *etcdserverpb.Member) error {
	if _, err := client.MemberPromote(ctx, member.ID); err == nil {
		logrus.Infof("Promoted learner %s", member.Name)
		return nil
	}
	var progress learnerProgress
	value, err := client.Get(ctx, learnerProgressKey)
	if err != nil {
		return err
	}
	if value.Count > 0 {
		if err := json.Unmarshal(value.Kvs[0].Value, &progress); err != nil {
			return err
		}
	}
	stalled := progress.note(member.ID, member.Name, appliedIndex(ctx, client, member), time.Now())
	if stalled {
		if _, err := client.MemberRemove(ctx, member.ID); err != nil {
			return err
		}
		logrus.Warnf("Removed learner %s from etcd cluster", member.Name)
		return nil
	}
	text, err := json.Marshal(progress)
	if err != nil {
		return err
	}
	_, err = client.Put(ctx, learnerProgressKey, string(text))
	return err
}

func appliedIndex(ctx context.Context, client *clientv3.Client, member *etcdserverpb.Member) uint64 {
	status, err := memberStatus(ctx, client, member)
	if err != nil {
		return 0
	}
	return status.RaftAppliedIndex
}

// memberStatus asks the member itself.
func memberStatus(ctx context.Context, client *clientv3.Client, member *etcdserverpb.Member) (*clientv3.StatusResponse, error) {
	if len(member.ClientURLs) == 0 {
		return nil, fmt.Errorf("etcd member %s has not started", member.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	status, err := client.Status(ctx, member.ClientURLs[0])
	if err != nil {
		return nil, fmt.Errorf("failed to check etcd member status: %w", err)
	}
	if len(status.Errors) > 0 {
		return nil, fmt.Errorf("etcd member has status errors: %s", strings.Join(status.Errors, ","))
	}
	return status, nil
}

// voterStatus is the condition for a member, nil where the Node has none.
func voterStatus(member *etcdserverpb.Member, unhealthy error) corev1.NodeCondition {
	condition := corev1.NodeCondition{Type: voterCondition, Status: corev1.ConditionFalse}
	switch {
	case member == nil:
		condition.Reason, condition.Message = "NotAMember", "Node is not a member of the etcd cluster"
	case unhealthy != nil:
		condition.Reason, condition.Message = "Unhealthy", unhealthy.Error()
	case member.IsLearner:
		condition.Reason, condition.Message = "MemberIsLearner", "Node has not been promoted to voting member of the etcd cluster"
	default:
		condition.Status = corev1.ConditionTrue
		condition.Reason, condition.Message = "MemberNotLearner", "Node is a voting member of the etcd cluster"
	}
	return condition
}

// tellNodes writes the conditions that have changed. Servers without an agent
// have no Node.
func (s *server) tellNodes(ctx context.Context, client *clientv3.Client, members []*etcdserverpb.Member) error {
	nodes, err := s.kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: "node-role.kubernetes.io/etcd=true"})
	if err != nil {
		return err
	}
	for i := range nodes.Items {
		node := &nodes.Items[i]
		var found *etcdserverpb.Member
		var unhealthy error
		for _, member := range members {
			if member.Name != "" && member.Name == node.Annotations[memberAnnotation] {
				found = member
				_, unhealthy = memberStatus(ctx, client, member)
			}
		}
		if err := s.setCondition(ctx, node, voterStatus(found, unhealthy)); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) setCondition(ctx context.Context, node *corev1.Node, wanted corev1.NodeCondition) error {
	for _, there := range node.Status.Conditions {
		if there.Type == wanted.Type && there.Status == wanted.Status && there.Reason == wanted.Reason && there.Message == wanted.Message {
			return nil
		}
	}
	wanted.LastHeartbeatTime, wanted.LastTransitionTime = metav1.Now(), metav1.Now()
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": []corev1.NodeCondition{wanted}}})
	if err != nil {
		return err
	}
	_, err = s.kube.CoreV1().Nodes().Patch(ctx, node.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}
