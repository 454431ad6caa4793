// What the agent knows of its backup directory and of the server beside it, and how the cluster
// gets to know it. No run waits for that, and no outcome of it is one of a backup.
#pragma once

#include "agent/host/mounted_files.hpp"
#include "agent/host/settings.hpp"
#include "agent/orders/lookout.hpp"

#include "api/backup_status.hpp"
#include "api/servers.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "kube/client.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace rb::agent {

/// Reads the directory at most every few seconds, however often it is asked, and less often where
/// that takes long (thousands of sets, a slow disk). Safe to share.
class DiskWatch {
public:
  /// `clock` outlives it.
  DiskWatch(const Settings& settings,
            const Clock& clock,
            std::chrono::milliseconds pause = std::chrono::seconds(5))
      : m_settings(settings), m_files(settings), m_clock(clock), m_pause(pause) {}

  /// With the agent's names in it, and what the server of this node keeps its state in. A directory
  /// that is not there yet is an empty one; one that cannot be read gives what was last known, with
  /// its report time, or nothing.
  [[nodiscard]] std::optional<api::NodeFacts> facts();

  /// The next facts() looks at the disk.
  void changed();

private:
  const Settings m_settings;
  const MountedFiles m_files;
  const Clock& m_clock;
  const std::chrono::milliseconds m_pause;
  std::mutex m_mutex;
  std::optional<api::NodeFacts> m_facts;
  std::optional<std::chrono::steady_clock::time_point> m_next_look;
};

/// Whether the etcd member of this server votes; asked where there is an embedded etcd only.
using AskMember = std::function<api::Member(const std::stop_token&)>;

/// Reports what is on the disk every minute and after each run: the agent's own entry of
/// BackupStatus.status.nodes, by server-side apply. What the answer says of the controller goes to
/// the lookout, where there is one. Its thread runs from the constructor to the destructor.
class FactsReporter {
public:
  /// All outlive it. `lookout` may be null, `ask_member` empty.
  FactsReporter(DiskWatch& disk,
                kube::Client& client,
                Lookout* lookout = nullptr,
                AskMember ask_member = {})
      : m_disk(disk), m_client(client), m_lookout(lookout), m_ask_member(std::move(ask_member)),
        m_thread([this](const std::stop_token& stop) { run(stop); }) {}

  /// Something changed on the disk: report it now.
  void poke();

private:
  void run(const std::stop_token& stop);
  [[nodiscard]] Status report(api::NodeFacts facts, const std::stop_token& stop);

  DiskWatch& m_disk;
  kube::Client& m_client;
  Lookout* const m_lookout;
  const AskMember m_ask_member;
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  bool m_poked = false;
  std::jthread m_thread;
};

// Whether the etcd member of this server votes: only then has the server the cluster's state of
// now, and can a snapshot be taken of it. Asked of the server itself: k3s lists its members to
// callers on its own host, without a password, and answers with an error where etcd has no leader,
// or is a learner.

/// What an answer to GET /db/info says of the member `name` (the file db/etcd/name of the server).
/// Pure. unknown: the server is not up yet, has no etcd, or says something else.
[[nodiscard]] api::Member member_in(int http_status, std::string_view body, std::string_view name);

/// Asks the server of this host, whose certificate its own CA must vouch for. Takes a few seconds
/// at most. unknown: it cannot be asked.
[[nodiscard]] api::Member ask_member(const Settings& settings, const std::stop_token& stop);

} // namespace rb::agent
