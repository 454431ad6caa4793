#include "kube/event_recorder.hpp"

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"
#include "kube/resource.hpp"

namespace rb::kube {

namespace {

using nlohmann::json;

constexpr std::size_t k_note_limit_bytes = 1024;
constexpr std::size_t k_word_limit_bytes = 128;
constexpr std::size_t k_queue_limit = 256;
constexpr std::chrono::seconds k_grace{2};

std::string event_name(const EventSpec& event) {
  std::string prefix;
  for (const char c : event.regarding.kind) {
    if (c >= 'A' && c <= 'Z') {
      prefix.push_back(static_cast<char>(c - 'A' + 'a'));
    } else if (c >= 'a' && c <= 'z') {
      prefix.push_back(c);
    }
  }
  Sha256 hash;
  for (const std::string& part : {event.regarding.name_space,
                                  event.regarding.name,
                                  event.regarding.uid,
                                  event.reason,
                                  event.action,
                                  event.note}) {
    hash.update(as_bytes(part));
    hash.update(as_bytes(std::string_view("\0", 1)));
  }
  constexpr std::size_t hash_bytes = 16;
  const Sha256Digest digest = hash.digest();
  return std::string(cut_to(prefix, 64)) + (prefix.empty() ? "event-" : "-") +
         to_hex(ByteView(digest).first(hash_bytes));
}

json reference_to(const EventSubject& subject) {
  json reference{
      {"apiVersion", subject.api_version}, {"kind", subject.kind}, {"name", subject.name}};
  if (!subject.name_space.empty()) {
    reference["namespace"] = subject.name_space;
  }
  if (!subject.uid.empty()) {
    reference["uid"] = subject.uid;
  }
  return reference;
}

ClientOptions patient_for_a_moment(ClientOptions options) {
  options.attempts = 3;
  options.request_timeout = std::chrono::seconds(5);
  return options;
}

} // namespace

json event_to_json(const EventSpec& event, const EventReporter& reporter, SystemTime now) {
  const std::string& own = event.regarding.name_space;
  return {{"apiVersion", "events.k8s.io/v1"},
          {"kind", "Event"},
          {"metadata", {{"name", event_name(event)}, {"namespace", own.empty() ? "default" : own}}},
          {"eventTime", format_micro_time(now)},
          {"type", event.type == EventType::warning ? "Warning" : "Normal"},
          {"reason", cut_to(event.reason, k_word_limit_bytes)},
          {"action", cut_to(event.action, k_word_limit_bytes)},
          {"note", cut_to(event.note, k_note_limit_bytes)},
          {"regarding", reference_to(event.regarding)},
          {"reportingController", cut_to(reporter.controller, k_word_limit_bytes)},
          {"reportingInstance", cut_to(reporter.instance, k_word_limit_bytes)}};
}

EventRecorder::EventRecorder(Client& client, EventReporter reporter)
    : m_client(client), m_reporter(std::move(reporter)),
      m_thread([this](const std::stop_token& stop) { run(stop); }) {}

EventRecorder::~EventRecorder() {
  {
    std::unique_lock lock(m_mutex);
    m_changed.wait_for(lock, k_grace, [this] { return m_queue.empty() && !m_writing; });
  }
  m_abort.request_stop();
  m_thread.request_stop();
  m_thread.join();
}

void EventRecorder::record(const EventSpec& event) {
  json object = event_to_json(event, m_reporter, m_client.runtime().clock->now());
  const std::lock_guard lock(m_mutex);
  if (m_queue.size() >= k_queue_limit) {
    m_client.runtime().metrics->event_dropped();
    return;
  }
  m_queue.push_back(std::move(object));
  m_changed.notify_all();
}

void EventRecorder::run(const std::stop_token& stop) {
  std::unique_lock lock(m_mutex);
  while (m_changed.wait(lock, stop, [this] { return !m_queue.empty(); })) {
    const json object = std::move(m_queue.front());
    m_queue.pop_front();
    m_writing = true;
    lock.unlock();
    write(object);
    lock.lock();
    m_writing = false;
    m_changed.notify_all();
    if (stop.stop_requested()) {
      return;
    }
  }
}

void EventRecorder::write(const json& object) {
  Client client(m_client.transport(), m_client.runtime(), patient_for_a_moment(m_client.options()));
  const auto written = client.create(
      k_events, object["metadata"]["namespace"].get<std::string>(), object, m_abort.get_token());
  // One of that name says the same already.
  if (!written && written.error().code != ErrorCode::already_exists) {
    m_client.runtime().metrics->event_dropped();
  }
}

} // namespace rb::kube
