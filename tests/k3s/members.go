// How a new server's etcd becomes a member: as a learner, by the list of members
// that the server it joins gives.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

const memberAddTimeout = 20 * time.Second

// etcdMember is an entry of /db/info.
type etcdMember struct {
	ID         uint64   `json:"ID"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peerURLs"`
	ClientURLs []string `json:"clientURLs"`
	IsLearner  bool     `json:"isLearner"`
}

var (
	errDuplicateName = errors.New("duplicate node name found, please use a unique name for this node")
	errMemberList    = errors.New("failed to get member list")
)

// joinPlan is what a new server does about the members that there are.
type joinPlan struct {
	cluster   []string // name=peer URL of each, for etcd's initial cluster
	add       bool     // false: it was added before and hasn't started since
	endpoints []string // whom to ask; the server of --server comes first
}

// planJoin refuses a node name that a member has already, also one whose disk is
// gone: k3s removes no stale member of the same name.
func planJoin(members []etcdMember, name, node, address, preferred string) (joinPlan, error) {
	plan := joinPlan{add: true}
	for _, member := range members {
		self, first := false, false
		for _, peer := range member.PeerURLs {
			host := hostOf(peer)
			if member.Name == "" && host == address {
				member.Name = name // added, and never started
			}
			self = self || (member.Name == name && host == address)
		}
		if member.Name != name && nodeOfMember(member.Name) == node {
			return joinPlan{}, errDuplicateName
		}
		plan.add = plan.add && !self
		if len(member.PeerURLs) > 0 {
			plan.cluster = append(plan.cluster, member.Name+"="+member.PeerURLs[0])
		}
		for _, client := range member.ClientURLs {
			self = self || hostOf(client) == address
			first = first || hostOf(client) == preferred
		}
		switch {
		case self || member.IsLearner:
		case first:
			plan.endpoints = append(append([]string{}, member.ClientURLs...), plan.endpoints...)
		default:
			plan.endpoints = append(plan.endpoints, member.ClientURLs...)
		}
	}
	return plan, nil
}

// notAMember says that the list has no member of this name and peer URL; nil: it has.
func notAMember(members []*etcdserverpb.Member, name, peer string) error {
	var found []string
	for _, member := range members {
		if member.Name == name && slices.Contains(member.PeerURLs, peer) {
			return nil
		}
		if len(member.PeerURLs) > 0 {
			found = append(found, member.Name+"="+member.PeerURLs[0])
		}
	}
	return fmt.Errorf("this server is a not a member of the etcd cluster. Found %v, expect: %s=%s", found, name, peer)
}

// waitForMembership waits until the cluster has this server at its address: one
// whose address is another than when it joined waits for ever, and says so.
func (s *server) waitForMembership(ctx context.Context, process *child) error {
	for told := time.Now(); ; {
		err := s.isMember(ctx)
		if err == nil {
			return nil
		}
		if time.Since(told) > 5*time.Second {
			logrus.Errorf("Failed to test etcd connection: %v", err)
			told = time.Now()
		}
		select {
		case <-process.done:
			return errors.New("etcd exited before it answered")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *server) isMember(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, memberCallTimeout)
	defer cancel()
	name, err := memberName(s.layout.etcd(), s.opts.nodeName)
	if err != nil {
		return err
	}
	list, err := s.etcd.MemberList(ctx)
	if err != nil {
		return err
	}
	return notAMember(list.Members, name, peerURL(s.opts))
}

// takeMembership gives the only member of a cluster that was reset this server's
// address.
func (s *server) takeMembership(ctx context.Context, process *child) error {
	if s.isMember(ctx) != nil {
		list, err := s.etcd.MemberList(ctx)
		if err != nil {
			return err
		}
		if len(list.Members) > 1 {
			return errors.New("failed to update peer url: etcd still has more than one member")
		}
		if _, err := s.etcd.MemberUpdate(ctx, list.Members[0].ID, []string{peerURL(s.opts)}); err != nil {
			return fmt.Errorf("failed to update peer url: %w", err)
		}
	}
	return s.waitForMembership(ctx, process)
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// nodeOfMember takes the 8 hex digits off a member's name.
func nodeOfMember(name string) string {
	if hyphen := strings.LastIndex(name, "-"); hyphen > 1 {
		return name[:hyphen]
	}
	return name
}

// joinEtcd adds this server as a learner and gives the initial cluster of its
// etcd. It waits while another one is joining.
func (s *server) joinEtcd(ctx context.Context) (string, error) {
	for {
		cluster, err := s.tryJoin(ctx)
		switch {
		case err == nil:
			return cluster, nil
		case errors.Is(err, rpctypes.ErrTooManyLearners), errors.Is(err, rpctypes.ErrUnhealthy):
			logrus.Infof("Waiting for other members to finish joining etcd cluster: %v", err)
		case errors.Is(err, errMemberList):
			logrus.Infof("Waiting to retrieve etcd cluster member list: %v", err)
		default:
			return "", shutdownRequest{fmt.Errorf("etcd cluster join failed: %w", err)}
		}
		if !sleep(ctx, time.Second) {
			return "", ctx.Err()
		}
	}
}

func (s *server) tryJoin(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, memberAddTimeout)
	defer cancel()
	name, err := memberName(s.layout.etcd(), s.opts.nodeName)
	if err != nil {
		return "", err
	}
	text, err := s.remote.get("/db/info")
	if err != nil {
		return "", fmt.Errorf("%w: %w", errMemberList, err)
	}
	var info struct {
		Members []etcdMember `json:"members"`
	}
	if err := json.Unmarshal(text, &info); err != nil {
		return "", err
	}
	plan, err := planJoin(info.Members, name, s.opts.nodeName, s.opts.nodeIP, hostOf(s.remote.base))
	if errors.Is(err, errDuplicateName) {
		// Another name of the node makes another name of the member.
		if err := os.Remove(s.layout.etcd("name")); err != nil {
			logrus.Errorf("Failed to remove etcd name file: %v", err)
		}
	}
	if err != nil {
		return "", err
	}
	if plan.add {
		peer := peerURL(s.opts)
		logrus.Infof("Adding member %s=%s to etcd cluster %v", name, peer, plan.cluster)
		client, err := etcdClient(s.layout, plan.endpoints...)
		if err != nil {
			return "", err
		}
		defer client.Close()
		if _, err := client.MemberAddAsLearner(ctx, []string{peer}); err != nil {
			return "", err
		}
		plan.cluster = append(plan.cluster, name+"="+peer)
	}
	logrus.Infof("Starting etcd to join cluster with members %v", plan.cluster)
	return strings.Join(plan.cluster, ","), nil
}
