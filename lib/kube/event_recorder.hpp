// Events for people (kubectl describe, kubectl events): events.k8s.io/v1. Written in the
// background; an Event that cannot be written is dropped and never fails or delays anything.
#pragma once

#include "kube/client.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace rb::kube {

enum class EventType { normal, warning };

/// The object that an Event is about.
struct EventSubject {
  std::string api_version;
  std::string kind;
  std::string name_space; ///< Empty for cluster-scoped: the Event goes to namespace `default`.
  std::string name;
  std::string uid;
};

struct EventSpec {
  EventSubject regarding;
  EventType type = EventType::normal;
  std::string reason; ///< CamelCase, at most 128 characters.
  std::string action; ///< CamelCase, at most 128 characters: what was done or tried.
  std::string note;   ///< For people, no secrets; cut at 1,024 bytes.
};

/// Who reports: "backup.railiance.io/controller" and the pod's name.
struct EventReporter {
  std::string controller;
  std::string instance;
};

/// The object to be created. Its name is the same for the same subject, reason, action and note, so
/// that writing it twice makes one Event. Pure.
[[nodiscard]] nlohmann::json
event_to_json(const EventSpec& event, const EventReporter& reporter, SystemTime now);

/// Owns its thread. record() is safe to call from any thread.
class EventRecorder {
public:
  /// `client` outlives the recorder.
  EventRecorder(Client& client, EventReporter reporter);
  /// Tries for two seconds at most to write what is queued.
  ~EventRecorder();
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;
  EventRecorder(EventRecorder&&) = delete;
  EventRecorder& operator=(EventRecorder&&) = delete;

  /// Queues the Event (at most 256; more are dropped) and returns at once.
  void record(const EventSpec& event);

private:
  void run(const std::stop_token& stop);
  void write(const nlohmann::json& object);

  Client& m_client;
  const EventReporter m_reporter;
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::deque<nlohmann::json> m_queue;
  bool m_writing = false;
  std::stop_source m_abort; ///< Ends the writing itself, after the grace time.
  std::jthread m_thread;
};

} // namespace rb::kube
