// A host that can rejoin, and the servers that it asks; each test makes them wrong in one way.
#pragma once

#include "facts.hpp"
#include "restore/cluster/rejoin.hpp"

#include <string>
#include <vector>

namespace rb::test {

using cluster::Contact;
using cluster::EtcdMember;
using cluster::RejoinFacts;
using cluster::ServerAnswer;

inline const std::string k_ca(64, 'a');
inline constexpr const char* k_uid = "0b6f2c1e-0000-4000-8000-000000000001";

inline EtcdMember member(std::uint64_t id, const std::string& name, bool learner = false) {
  EtcdMember one;
  one.id = id;
  one.name = name;
  one.learner = learner;
  return one;
}

inline ServerAnswer
answering(const std::string& name, const std::string& address, std::vector<EtcdMember> members) {
  ServerAnswer answer;
  answer.node_name = name;
  answer.api_url = cluster::url_of(address, "6443");
  answer.contact = Contact::ready;
  answer.version = "v1.34.4+k3s1";
  answer.supervisor_url = answer.api_url;
  answer.cluster_ca = k_ca;
  answer.cluster_uid = k_uid;
  answer.members = std::move(members);
  return answer;
}

inline ServerAnswer silent(const std::string& name, const std::string& address) {
  ServerAnswer answer;
  answer.node_name = name;
  answer.api_url = cluster::url_of(address, "6443");
  answer.problem = answer.api_url + ": connection refused";
  return answer;
}

/// Server "two" of three: "one" was restored, "three" is down.
inline RejoinFacts good_facts() {
  RejoinFacts facts;
  facts.host = good_host();
  facts.host.service = k3s::ServiceState::inactive;
  facts.host.servers.clear();
  facts.host.network.interfaces = {{"eth0", {"192.0.2.12"}}};
  facts.node_name = "two";
  facts.member_name = "two-0a1b2c3d";
  facts.node_password = true;
  facts.set = good_set();
  facts.set.members = 3;
  facts.set.servers = {
      {"one", "192.0.2.11", {}}, {"two", "192.0.2.12", {}}, {"three", "192.0.2.13", {}}};
  facts.set.cluster_cas = {k_ca};
  facts.set.cluster_uid = k_uid;
  facts.servers = {answering("one", "192.0.2.11", {member(1, "one-11111111")}),
                   silent("three", "192.0.2.13")};
  facts.stop_command = "systemctl stop k3s";
  facts.start_command = "systemctl start k3s";
  return facts;
}

} // namespace rb::test
