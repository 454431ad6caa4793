#include "controller/notifier.hpp"

#include "terminal/log.hpp"
#include "terminal/terminal_text.hpp"

#include "kube/resource.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::controller {

namespace {

/// Apart from the reporter's: what one applies, the other leaves.
constexpr std::string_view k_field_manager = "railiance-backup-notify";
constexpr std::size_t k_error_limit_bytes = 512; ///< As in crds/ (lastError, maxLength).

/// The receiver is there and will not have this message: it may well take others. Not so where it
/// does not know us, or has had enough for now.
bool is_of_the_message(const Error& error) {
  return error.http_status >= 400 && error.http_status < 500 && error.http_status != 401 &&
         error.http_status != 429;
}

} // namespace

Notifier::Notifier(NotifierPorts ports, std::vector<Receiver> receivers, NotifierTimes times)
    : m_ports(std::move(ports)), m_times(times) {
  for (Receiver& receiver : receivers) {
    m_channels.push_back({std::move(receiver), {}, 0, {}});
  }
}

void Notifier::start() {
  m_loaded = false; // another controller may have told more
  m_thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Notifier::stop() {
  m_thread = {}; // ends the one before, and waits for that
}

void Notifier::run(const std::stop_token& stop) {
  bool failing = false;
  while (!stop.stop_requested()) {
    const Status visited = visit(stop);
    if (!visited && !failing && !stop.stop_requested()) {
      log::warn("notices: BackupStatus", visited.error());
    }
    failing = !visited; // said once for each time that it begins to fail
    RealWaiter().wait(m_times.look, stop);
  }
}

Status Notifier::visit(const std::stop_token& stop) {
  if (!m_ports.synced()) {
    return {};
  }
  if (!m_loaded) {
    RB_TRY(load(stop));
  }
  const NoticeView view = m_channels.empty() ? NoticeView() : m_ports.view();
  hurry_for_test(view);
  for (Channel& channel : m_channels) {
    serve(channel, view, stop);
  }
  return m_unsaved && m_loaded ? save(stop) : Status();
}

/// Asked for, and not taken from a watch: the controller before may have written a moment ago.
Status Notifier::load(const std::stop_token& stop) {
  RB_TRY_ASSIGN(const nlohmann::json items,
                m_ports.client.list_all(kube::k_backup_statuses, "", {}, stop));
  std::vector<api::ReceiverState> stored;
  bool exists = false;
  for (const nlohmann::json& item : items) {
    RB_TRY_ASSIGN(api::BackupStatus object, api::backup_status_from_json(item));
    if (object.meta.name == api::k_backup_status_name) {
      stored = std::move(object.status.notified);
      exists = true;
    }
  }
  if (!exists) {
    return {}; // it is made in a moment
  }
  m_unsaved = stored.size() != m_channels.size(); // one that is not set up any more goes
  for (Channel& channel : m_channels) {
    const auto known =
        std::ranges::find(stored, channel.receiver.name, &api::ReceiverState::receiver);
    if (known != stored.end()) {
      channel.told = std::move(*known);
    } else {
      channel.told = {channel.receiver.name, m_ports.clock.now(), {}, {}, {}};
      m_unsaved = true;
    }
    channel.failures = channel.told.failing_since ? m_times.failing_after : 0;
    channel.not_before = {};
  }
  m_loaded = true;
  return {};
}

Status Notifier::save(const std::stop_token& stop) {
  std::vector<api::ReceiverState> notified;
  for (const Channel& channel : m_channels) {
    notified.push_back(channel.told);
  }
  const auto written = m_ports.client.patch(
      {kube::k_backup_statuses, "", std::string(api::k_backup_status_name), "status"},
      kube::PatchType::apply,
      api::notified_apply(notified),
      stop,
      k_field_manager);
  if (!written) {
    return written.error();
  }
  m_unsaved = false;
  return {};
}

/// Who asks for a test waits for it.
void Notifier::hurry_for_test(const NoticeView& view) {
  if (view.test_asked != m_test_seen) {
    m_test_seen = view.test_asked;
    for (Channel& channel : m_channels) {
      channel.not_before = {};
    }
  }
}

void Notifier::serve(Channel& channel, const NoticeView& view, const std::stop_token& stop) {
  if (!m_loaded || m_ports.clock.steady_now() < channel.not_before) {
    return;
  }
  bool refused = false;
  for (const notify::Message& message :
       notices(view, channel.receiver.taste, channel.told, m_ports.clock.now())) {
    const Status told = channel.receiver.delivery->deliver(message, stop);
    if (stop.stop_requested() && !told) {
      return;
    }
    if (!told) {
      if (!refused) { // one attempt for the pause, however many messages are refused in it
        failed(channel, told.error());
      }
      refused = true;
      if (!is_of_the_message(told.error())) {
        return;
      }
      continue;
    }
    arrived(channel, message, refused);
    // At once: what was told must be known to whoever comes after us. Where that fails it is
    // written with the next look.
    static_cast<void>(save(stop));
  }
}

void Notifier::arrived(Channel& channel, const notify::Message& message, bool another_refused) {
  spdlog::info("notices: {} was told of {}", channel.receiver.name, message.topic);
  channel.told = with_told(std::move(channel.told), message);
  if (!another_refused) {
    channel.told.failing_since.reset();
    channel.told.last_error.clear();
    channel.failures = 0;
  }
  m_unsaved = true;
}

void Notifier::failed(Channel& channel, const Error& error) {
  m_ports.count_failure(channel.receiver.name);
  const unsigned doublings = std::min(channel.failures, 16U);
  channel.not_before = m_ports.clock.steady_now() +
                       std::min(m_times.longest_pause, m_times.first_pause * (1U << doublings));
  ++channel.failures;
  if (channel.failures < m_times.failing_after) {
    return;
  }
  const std::string why = terminal_text(error.text(), k_error_limit_bytes);
  m_unsaved = m_unsaved || why != channel.told.last_error;
  channel.told.last_error = why;
  if (channel.told.failing_since) {
    return; // said already
  }
  channel.told.failing_since = m_ports.clock.now();
  log::warn("notices: " + channel.receiver.name + " cannot be told", error);
  m_ports.record_event({{std::string(api::k_api_version),
                         std::string(api::k_backup_status_kind),
                         "",
                         std::string(api::k_backup_status_name),
                         ""},
                        kube::EventType::warning,
                        "NotifyFailed",
                        "Notify",
                        channel.receiver.name + " cannot be told: " + channel.told.last_error});
}

} // namespace rb::controller
