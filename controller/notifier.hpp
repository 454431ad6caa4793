// Tells the receivers what notices() says, while this process leads, and keeps in BackupStatus what
// each of them was told. A thread of its own: a receiver that is slow or away delays no run.
// Guarantees: one attempt after another, with a pause that grows to a quarter of an hour; a message
// is told again rather than lost where the process dies between the receiver's answer and the write
// of it; a message that is refused keeps no other one back; that a receiver fails is said once,
// without its address; stop() returns at once.
#pragma once

#include "controller/notices.hpp"
#include "notify/delivery.hpp"

#include "kube/client.hpp"
#include "kube/event_recorder.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace rb::controller {

struct Receiver {
  std::string name; ///< "DeadMan" or "Webhook".
  Taste taste;
  std::unique_ptr<notify::Delivery> delivery;
};

struct NotifierTimes {
  std::chrono::milliseconds look{std::chrono::seconds(2)};
  std::chrono::seconds first_pause{5}; ///< After an attempt that failed; doubled after each.
  std::chrono::seconds longest_pause{900};
  unsigned failing_after = 3; ///< Attempts; then it is said that the receiver fails.
};

/// What a notifier works with. The references outlive it.
struct NotifierPorts {
  kube::Client& client;
  const Clock& clock;
  std::function<NoticeView()> view;
  std::function<bool()> synced; ///< All that the view is made of has been listed.
  std::function<void(const kube::EventSpec&)> record_event;
  std::function<void(const std::string& receiver)> count_failure;
};

class Notifier {
public:
  Notifier(NotifierPorts ports, std::vector<Receiver> receivers, NotifierTimes times = {});

  /// Begins a term of leadership. Returns at once.
  void start();
  /// Ends it: nothing is told any more when this returns.
  void stop();

  /// One look. Errors: those of the API; what a receiver does is none. Public for tests.
  [[nodiscard]] Status visit(const std::stop_token& stop);

private:
  struct Channel {
    Receiver receiver;
    api::ReceiverState told;
    unsigned failures = 0; ///< In a row.
    std::chrono::steady_clock::time_point not_before{};
  };

  void run(const std::stop_token& stop);
  [[nodiscard]] Status load(const std::stop_token& stop);
  [[nodiscard]] Status save(const std::stop_token& stop);
  void hurry_for_test(const NoticeView& view);
  void serve(Channel& channel, const NoticeView& view, const std::stop_token& stop);
  void arrived(Channel& channel, const notify::Message& message, bool another_refused);
  void failed(Channel& channel, const Error& error);

  const NotifierPorts m_ports;
  const NotifierTimes m_times;
  std::vector<Channel> m_channels;
  std::optional<SystemTime> m_test_seen;
  bool m_loaded = false;
  bool m_unsaved = false;
  std::jthread m_thread;
};

} // namespace rb::controller
