// A cluster for the tests of the command: objects in a map behind kube::Transport, and a watch that
// plays what the test wrote down.
#pragma once

#include "cli/commands.hpp"
#include "cli/io.hpp"

#include "kube/transport.hpp"

#include <nlohmann/json.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

namespace rb::test {

/// One watch: these objects are sent as MODIFIED, then it stays open, ends, or fails.
struct WatchScript {
  enum class End { stays_open, ends, fails };
  std::vector<nlohmann::json> objects;
  End end = End::stays_open;
  std::string type = "MODIFIED";
};

/// A ClusterBackup with a uid, and the Succeeded condition where `reason` is given.
[[nodiscard]] nlohmann::json a_backup(const std::string& name,
                                      const std::string& status = {},
                                      const std::string& reason = {},
                                      const std::string& message = {});

class FakeCluster : public kube::Transport {
public:
  [[nodiscard]] Result<kube::Response> send(const kube::Request& request,
                                            std::stop_token stop) override;
  [[nodiscard]] Result<kube::StreamEnd>
  stream(const kube::Request& request, const kube::ByteSink& sink, std::stop_token stop) override;

  std::map<std::string, nlohmann::json> backups; ///< By name.
  std::map<std::string, nlohmann::json> orders;  ///< NodeBackups by name.
  std::deque<WatchScript> watches;               ///< The next ones; without one: stays open.
  std::vector<nlohmann::json> created;           ///< The bodies of POSTs that were taken.
  std::function<std::optional<kube::Response>(const kube::Request&)> answer; ///< Before all else.
  bool down = false;              ///< Nothing is listening.
  bool lose_post_answer = false;  ///< The first POST arrives, its answer does not.
  std::function<void()> on_watch; ///< Called when a watch opens, without the lock.

private:
  Result<kube::Response> post(const kube::Request& request);
  std::mutex m_mutex;
};

[[nodiscard]] inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// What a run of the command did.
struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

struct RunOptions {
  bool terminal = false;
  bool colour = false; ///< Of the output.
  std::stop_token stop = {};
  int signal = 0;
  std::string now = "20261122T115216Z";
  bool complete = false; ///< As kubectl asks for completions.
  std::function<Result<std::unique_ptr<cli::Api>>(const cli::ClusterChoice&)> connect = {};
};

/// Runs the command against `cluster` with steady time running ten times as fast.
[[nodiscard]] Outcome
run_command(FakeCluster& cluster, std::vector<std::string> args, const RunOptions& options = {});

} // namespace rb::test
