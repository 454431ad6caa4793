// What a person sees while a run goes on: one live line on a terminal, lines with a time elsewhere.
#pragma once

#include "cli/io.hpp"

#include "api/backup.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rb::cli {

using TimePoint = std::chrono::steady_clock::time_point;

/// "taking the snapshot"; what is no step of ours as it is.
[[nodiscard]] std::string words_of_step(const std::string& step);

/// "[########............]", `width` characters between the brackets.
[[nodiscard]] std::string bar(std::uint64_t done, std::uint64_t total, unsigned width);

/// Bytes per second over the last few seconds. Used by one thread.
class Rate {
public:
  /// A number lower than the last one starts over: another step has begun.
  void add(std::uint64_t bytes_done, TimePoint now);
  /// Nothing before two samples that are half a second apart.
  [[nodiscard]] std::optional<std::uint64_t> bytes_per_second() const;

private:
  std::deque<std::pair<TimePoint, std::uint64_t>> m_samples;
};

/// The live line, not longer than `width`.
[[nodiscard]] std::string live_line(const api::ClusterBackup& backup,
                                    const std::optional<api::Progress>& progress,
                                    std::optional<std::uint64_t> bytes_per_second,
                                    std::chrono::seconds elapsed,
                                    unsigned width);

/// What is new in `now` since the last call, one line each, without time. Used by one thread.
class Changes {
public:
  [[nodiscard]] std::vector<std::string> lines(const api::ClusterBackup& now);

private:
  std::map<std::string, std::string> m_told; ///< Condition type, or server, to what was said of it.
};

/// Shows it on io.err. Used by one thread.
class ProgressView {
public:
  explicit ProgressView(const Io& io) : m_io(io), m_start(io.clock.steady_now()) {}

  /// Only a terminal shows bytes, so only then need they be asked for.
  [[nodiscard]] bool wants_bytes() const { return m_io.err_is_terminal; }
  void show(const api::ClusterBackup& backup, const std::optional<api::Progress>& progress);
  /// A line of its own; a live line is wiped first.
  void say(const std::string& words);
  /// Wipes the live line.
  void end();

private:
  const Io& m_io;
  const TimePoint m_start;
  Changes m_changes;
  Rate m_rate;
  std::string m_step;
};

// Follows one ClusterBackup until its run has ended, over lost connections and API restarts
// (wait.cpp).

struct WaitOptions {
  std::string name;
  std::string uid;
  std::chrono::milliseconds timeout{};
  std::chrono::milliseconds tick{std::chrono::seconds(1)}; ///< How often the view is renewed.
  /// How long the API server may be away before we give up.
  std::chrono::milliseconds patience{std::chrono::minutes(5)};
  /// How long no controller may have said anything about the object.
  std::chrono::milliseconds silence{std::chrono::minutes(5)};
  /// Then it is said that no controller takes it up, and again at times.
  std::chrono::milliseconds quiet{std::chrono::seconds(10)};
  std::function<std::string()> why_quiet; ///< Why that may be, or "". May be absent.
  /// The same as `patience` for 401 and 403, which a server that has just started may give to
  /// anybody.
  std::chrono::milliseconds refusal_patience{std::chrono::seconds(15)};
};

/// The object as it is when the run has ended. Errors: cancelled (io.stop; the run goes on, where
/// there is one), timeout (the same), unavailable (out of patience, or no controller), not_found
/// (deleted meanwhile), permission_denied, unauthenticated, corrupt.
[[nodiscard]] Result<nlohmann::json>
wait_for_end(kube::Client& client, const WaitOptions& options, ProgressView& view, const Io& io);

} // namespace rb::cli
