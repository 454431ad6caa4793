#include "cli/progress.hpp"
#include "terminal/format.hpp"

#include "kube/watcher.hpp"

#include <condition_variable>
#include <mutex>

namespace rb::cli {

namespace {

/// What the watcher's thread has seen; guarded by its mutex.
class Seen final : public kube::WatchHandler {
public:
  Seen(std::string uid, const Clock& clock) : m_uid(std::move(uid)), m_clock(clock) {}

  void on_upsert(nlohmann::json object) override {
    const std::scoped_lock lock(m_mutex);
    m_trouble.reset();
    if (object.value(nlohmann::json::json_pointer("/metadata/uid"), "") == m_uid) {
      m_object = std::move(object);
      m_there = true;
    }
    changed();
  }
  void on_delete(const kube::ObjectId& id) override {
    const std::scoped_lock lock(m_mutex);
    m_deleted = m_deleted || id.uid == m_uid;
    changed();
  }
  void on_synced() override {
    const std::scoped_lock lock(m_mutex);
    m_trouble.reset();
    // Listed, and not among them.
    m_deleted = m_deleted || !m_there;
    changed();
  }
  void on_trouble(const Error& error) override {
    const std::scoped_lock lock(m_mutex);
    const TimePoint now = m_clock.steady_now();
    // A long silence between two troubles means that the watch worked in between.
    if (!m_trouble || now - m_last_trouble > k_silence) {
      m_first_trouble = now;
    }
    m_last_trouble = now;
    m_trouble = error;
    changed();
  }

  struct News {
    nlohmann::json object; ///< Null: nothing seen yet.
    bool deleted = false;
    std::optional<Error> trouble;
    std::chrono::nanoseconds trouble_for{};

    /// Some controller has written conditions.
    [[nodiscard]] bool spoken_of() const {
      return object.is_object() &&
             object.contains(nlohmann::json::json_pointer("/status/conditions"));
    }
  };

  News next(std::chrono::milliseconds at_most, const std::stop_token& stop) {
    std::unique_lock lock(m_mutex);
    m_wake.wait_for(lock, stop, at_most, [this] { return m_changed; });
    m_changed = false;
    return {m_object, m_deleted, m_trouble, m_last_trouble - m_first_trouble};
  }

private:
  void changed() {
    m_changed = true;
    m_wake.notify_all();
  }

  static constexpr std::chrono::seconds k_silence{90};

  const std::string m_uid;
  const Clock& m_clock;
  std::mutex m_mutex;
  std::condition_variable_any m_wake;
  nlohmann::json m_object;
  bool m_there = false;
  bool m_deleted = false;
  bool m_changed = false;
  std::optional<Error> m_trouble;
  TimePoint m_first_trouble{};
  TimePoint m_last_trouble{};
};

/// The agent's progress, where there is one to be had. Not being allowed to see it is no failure.
class Bytes {
public:
  Bytes(kube::Client& client, std::string uid) : m_client(client), m_uid(std::move(uid)) {}

  std::optional<api::Progress> read(const std::stop_token& stop) {
    if (m_forbidden) {
      return std::nullopt;
    }
    const auto object = m_client.get({kube::k_node_backups, "", m_uid, ""}, stop);
    if (!object) {
      m_forbidden = object.error().code == ErrorCode::permission_denied;
      return std::nullopt;
    }
    const auto order = api::node_backup_from_json(*object);
    return order ? order->status.progress : std::nullopt;
  }

private:
  kube::Client& m_client;
  const std::string m_uid;
  bool m_forbidden = false;
};

std::string goes_on(const Seen::News& news, const std::string& name) {
  if (!news.spoken_of()) {
    return "no controller was seen to take it up; the request stays, and is carried out as soon as "
           "one runs (kubectl -n railiance-backup get pods); to withdraw it: kubectl delete "
           "clusterbackup " +
           name + "; to look at it: railiance-backup show " + name;
  }
  return "the run goes on in the cluster; look at it with: railiance-backup show " + name;
}

/// Nobody speaks of the object: said after a while, and again at times.
class Quiet {
public:
  explicit Quiet(const WaitOptions& options) : m_options(options), m_next(options.quiet) {}

  /// What to say now, or "".
  std::string news(const Seen::News& news, std::chrono::nanoseconds waited) {
    if (waited < m_next || !news.object.is_object() || news.spoken_of()) {
      return {};
    }
    m_next = waited + k_again;
    const std::string why = m_options.why_quiet ? m_options.why_quiet() : std::string();
    return "no controller has taken up " + m_options.name + " for " +
           format_elapsed(std::chrono::duration_cast<std::chrono::seconds>(waited)) +
           (why.empty() ? "" : " (" + why + ")") +
           "; waiting for one: kubectl -n railiance-backup get pods";
  }

private:
  static constexpr std::chrono::seconds k_again{30};

  const WaitOptions& m_options;
  std::chrono::nanoseconds m_next;
};

/// The reason to stop waiting without a result, if there is one.
std::optional<Error> gives_up(const Seen::News& news,
                              const WaitOptions& options,
                              std::chrono::nanoseconds waited,
                              const Io& io) {
  if (io.stop.stop_requested()) {
    return Error{
        ErrorCode::cancelled, "stopped waiting for " + options.name, goes_on(news, options.name)};
  }
  if (news.deleted) {
    return Error{ErrorCode::not_found,
                 "the ClusterBackup '" + options.name + "' was deleted while it was waited for",
                 "files that were written stay; on the server: railiance-restore list"};
  }
  if (news.trouble) {
    const bool refused = news.trouble->code == ErrorCode::permission_denied ||
                         news.trouble->code == ErrorCode::unauthenticated;
    if (news.trouble_for >= (refused ? options.refusal_patience : options.patience)) {
      Error error = *news.trouble;
      error.code = refused ? error.code : ErrorCode::unavailable;
      return error;
    }
  }
  if (waited >= options.silence && !news.spoken_of()) {
    return Error{ErrorCode::unavailable,
                 "no controller has taken up '" + options.name + "'",
                 "is it running? kubectl -n railiance-backup get pods; the backup is made as soon "
                 "as it is"};
  }
  if (waited >= options.timeout) {
    return Error{ErrorCode::timeout,
                 "the run '" + options.name + "' has not ended in the time that was given",
                 goes_on(news, options.name)};
  }
  return std::nullopt;
}

} // namespace

Result<nlohmann::json>
wait_for_end(kube::Client& client, const WaitOptions& options, ProgressView& view, const Io& io) {
  Seen seen(options.uid, io.clock);
  kube::WatchOptions watch;
  watch.field_selector = "metadata.name=" + options.name;
  watch.backoff.most = std::chrono::seconds(5);
  Bytes bytes(client, options.uid);
  const TimePoint start = io.clock.steady_now();
  bool in_trouble = false;
  Quiet quiet(options);
  kube::Watcher watcher(client, kube::k_cluster_backups, watch, seen);
  while (true) {
    Seen::News news = seen.next(options.tick, io.stop);
    if (!news.object.is_null()) {
      RB_TRY_ASSIGN(const api::ClusterBackup backup, api::cluster_backup_from_json(news.object));
      if (backup.finished()) {
        return std::move(news.object);
      }
      const bool running = view.wants_bytes() && !backup.status.run_id.empty();
      view.show(backup, running ? bytes.read(io.stop) : std::nullopt);
    }
    if (std::exchange(in_trouble, news.trouble.has_value()) != in_trouble && in_trouble) {
      view.say("connection lost, trying again: " + news.trouble->message);
    }
    if (const std::string said = quiet.news(news, io.clock.steady_now() - start); !said.empty()) {
      view.say(said);
    }
    if (auto error = gives_up(news, options, io.clock.steady_now() - start, io)) {
      return std::move(*error);
    }
  }
}

} // namespace rb::cli
