// A host that rejoins: a FakeHost whose k3s joins another server, and that server.
#pragma once

#include "fake_host.hpp"

namespace rb::test {

/// This host is "two"; the server that was restored is "one", at 192.0.2.11.
class JoiningHost {
public:
  explicit JoiningHost(bool empty_disk = false);

  /// The database that lies there: "old", "joined", or nothing.
  [[nodiscard]] std::string data() const;

  static constexpr const char* k_drop_in =
      "root/etc/rancher/k3s/config.yaml.d/zz-railiance-rejoin.yaml";

  FakeHost host;
  int learner_for = 2;      ///< Answers in which this host does not vote yet; -1: for ever.
  bool starts = true;       ///< k3s gets ready.
  bool ends_asked = false;  ///< k3s ends when it is asked for its members.
  bool answering = true;    ///< The restored server says who its members are.
  bool two_votes = false;   ///< This host is in the list of the restored cluster, and votes.
  bool has_node = true;     ///< k3s can take its member out.
  std::string node = "two"; ///< By the name of that Node.
  std::string heartbeat;    ///< When its kubelet was last heard of; empty: there is none.
  std::uint64_t ahead = 0;  ///< Revisions by which the other server is ahead.
  std::vector<std::string> asked;

private:
  void start();
  std::optional<ProcessResult> answer(const ProcessSpec& spec);
  std::string members();
};

} // namespace rb::test
