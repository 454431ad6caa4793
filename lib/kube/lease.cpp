#include "kube/lease.hpp"

#include "base/json_member.hpp"
#include "kube/resource.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::kube {

namespace {

using nlohmann::json;

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr int k_number_limit = 1'000'000'000;
constexpr milliseconds k_shortest_call{200};
constexpr double k_jitter = 0.2; ///< Candidates spread their tries, as in client-go.

/// Somebody wrote in between: what we know of the Lease is old.
bool lost_race(const Error& error) {
  return error.code == ErrorCode::conflict || error.code == ErrorCode::already_exists ||
         error.code == ErrorCode::not_found;
}

} // namespace

LeaseAction decide_lease(const std::optional<ObservedLease>& observed,
                         const std::string& identity,
                         std::chrono::steady_clock::time_point now) {
  if (!observed) {
    return LeaseAction::create;
  }
  const LeaseRecord& record = observed->record;
  if (record.holder == identity) {
    return LeaseAction::renew;
  }
  if (record.holder.empty() || now >= observed->changed_at + record.duration) {
    return LeaseAction::take;
  }
  return LeaseAction::wait;
}

ObservedLease observe_lease(const std::optional<ObservedLease>& before,
                            LeaseRecord seen,
                            std::chrono::steady_clock::time_point now) {
  const bool same = before && before->record == seen;
  return {std::move(seen), same ? before->changed_at : now};
}

Result<LeaseRecord> lease_from_json(const json& object) {
  LeaseRecord record;
  record.resource_version = json_text(metadata_of(object), "resourceVersion");
  if (record.resource_version.empty()) {
    return Error{ErrorCode::corrupt, "the lease has no metadata.resourceVersion", {}};
  }
  const json& spec = json_member(object, "spec");
  record.holder = json_text(spec, "holderIdentity");
  record.duration = std::chrono::seconds(int_of(spec, "leaseDurationSeconds", k_number_limit));
  record.acquire_time = json_text(spec, "acquireTime");
  record.renew_time = json_text(spec, "renewTime");
  record.transitions = int_of(spec, "leaseTransitions", k_number_limit);
  return record;
}

json lease_to_json(const LeaseRecord& record,
                   const std::string& name_space,
                   const std::string& name) {
  json metadata{{"name", name}, {"namespace", name_space}};
  if (!record.resource_version.empty()) {
    metadata["resourceVersion"] = record.resource_version;
  }
  json spec{{"holderIdentity", record.holder},
            {"leaseDurationSeconds", record.duration.count()},
            {"leaseTransitions", record.transitions}};
  if (!record.acquire_time.empty()) {
    spec["acquireTime"] = record.acquire_time;
  }
  if (!record.renew_time.empty()) {
    spec["renewTime"] = record.renew_time;
  }
  return {{"apiVersion", "coordination.k8s.io/v1"},
          {"kind", "Lease"},
          {"metadata", std::move(metadata)},
          {"spec", std::move(spec)}};
}

LeaderElector::LeaderElector(Client& client,
                             std::string name_space,
                             std::string lease,
                             std::string identity,
                             LeaderCallbacks callbacks,
                             LeaseTiming timing)
    : m_client(client), m_name_space(std::move(name_space)), m_lease(std::move(lease)),
      m_identity(std::move(identity)), m_callbacks(std::move(callbacks)), m_timing(timing) {}

Client LeaderElector::bounded(milliseconds limit) const {
  ClientOptions options = m_client.options();
  options.attempts = 1;
  options.request_timeout = limit;
  return Client(m_client.transport(), m_client.runtime(), options);
}

LeaderElector::TimePoint LeaderElector::leads_until() const {
  return TimePoint(duration_cast<TimePoint::duration>(nanoseconds(m_leads_until.load())));
}

milliseconds LeaderElector::call_limit() const {
  const milliseconds usual = m_timing.renew_deadline / 2;
  if (!m_leading) {
    return usual;
  }
  // We must be able to stop in time: no call outlasts the right to act.
  const auto left =
      duration_cast<milliseconds>(leads_until() - m_client.runtime().clock->steady_now());
  return std::clamp(left, k_shortest_call, std::max(usual, k_shortest_call));
}

Status LeaderElector::read_lease(const std::stop_token& stop) {
  const ObjectRef ref{k_leases, m_name_space, m_lease, {}};
  auto object = bounded(call_limit()).get(ref, stop);
  if (!object) {
    if (object.error().code != ErrorCode::not_found) {
      return std::move(object).error();
    }
    m_observed.reset();
    return {};
  }
  RB_TRY_ASSIGN(LeaseRecord seen, lease_from_json(*object));
  m_observed = observe_lease(m_observed, std::move(seen), m_client.runtime().clock->steady_now());
  return {};
}

LeaseRecord LeaderElector::record_for(LeaseAction action) const {
  const Clock& clock = *m_client.runtime().clock;
  // The fraction only makes each renewal a different text: nobody reads this time.
  const auto micros =
      duration_cast<std::chrono::microseconds>(clock.steady_now().time_since_epoch());
  LeaseRecord record = m_observed ? m_observed->record : LeaseRecord{};
  record.renew_time = format_micro_time(clock.now(), micros.count());
  if (action != LeaseAction::renew) {
    record.acquire_time = record.renew_time;
    record.transitions += action == LeaseAction::take ? 1 : 0;
  }
  record.holder = m_identity;
  record.duration = std::chrono::ceil<std::chrono::seconds>(m_timing.duration);
  return record;
}

Status
LeaderElector::write_lease(LeaseAction action, TimePoint sent_at, const std::stop_token& stop) {
  const ObjectRef ref{k_leases, m_name_space, m_lease, {}};
  const nlohmann::json object = lease_to_json(record_for(action), m_name_space, m_lease);
  Client client = bounded(call_limit());
  RB_TRY_ASSIGN(const nlohmann::json written,
                action == LeaseAction::create ? client.create(k_leases, m_name_space, object, stop)
                                              : client.replace(ref, object, stop));
  RB_TRY_ASSIGN(LeaseRecord seen, lease_from_json(written));
  m_observed = observe_lease(m_observed, std::move(seen), m_client.runtime().clock->steady_now());
  // From before the request: the others count from when they see it, which is later.
  const TimePoint until = sent_at + m_timing.renew_deadline;
  m_leads_until = duration_cast<nanoseconds>(until.time_since_epoch()).count();
  return {};
}

bool LeaderElector::try_acquire_or_renew(const std::stop_token& stop) {
  bool known = m_leading; // a leader knows the version that it wrote
  for (int round = 0; round < 2; ++round) {
    if (!known) {
      if (const Status read = read_lease(stop); !read) {
        trouble(read.error());
        return false;
      }
    }
    const TimePoint now = m_client.runtime().clock->steady_now();
    const LeaseAction action = decide_lease(m_observed, m_identity, now);
    if (action == LeaseAction::wait) {
      return false;
    }
    const Status written = write_lease(action, now, stop);
    if (written) {
      return true;
    }
    if (!lost_race(written.error())) {
      trouble(written.error());
      return false;
    }
    known = false; // read it again, once
  }
  return false;
}

void LeaderElector::settle(bool confirmed) {
  note_holder();
  if (confirmed && !m_leading) {
    m_leading = true;
    m_client.runtime().metrics->leader_changed(m_lease, true);
    if (m_callbacks.on_started) {
      m_callbacks.on_started();
    }
  } else if (!confirmed && m_leading) {
    const bool taken = !m_observed || m_observed->record.holder != m_identity;
    if (taken || m_client.runtime().clock->steady_now() >= leads_until()) {
      stop_leading();
    }
  }
}

milliseconds LeaderElector::pause() const {
  if (!m_leading) {
    const double factor = 1.0 + k_jitter * m_client.runtime().random();
    return milliseconds(
        static_cast<std::int64_t>(static_cast<double>(m_timing.retry_period.count()) * factor));
  }
  const auto left =
      std::chrono::ceil<milliseconds>(leads_until() - m_client.runtime().clock->steady_now());
  return std::clamp(left, milliseconds(1), m_timing.retry_period);
}

void LeaderElector::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    settle(try_acquire_or_renew(stop));
    m_client.runtime().waiter->wait(pause(), stop);
  }
  if (m_leading) {
    stop_leading();
    release();
  }
}

void LeaderElector::stop_leading() {
  m_leads_until = 0; // first: nobody acts while the work is being stopped
  m_leading = false;
  m_client.runtime().metrics->leader_changed(m_lease, false);
  if (m_callbacks.on_stopped) {
    m_callbacks.on_stopped();
  }
}

void LeaderElector::release() {
  Status released = give_back();
  if (!released && lost_race(released.error())) {
    // Our last renewal was written, and its answer lost or cut off by the end of the work.
    released = read_lease({});
    if (released) {
      released = give_back();
    }
  }
  if (!released) {
    trouble(released.error()); // it expires by itself
  }
  m_observed.reset();
  note_holder();
}

Status LeaderElector::give_back() {
  if (!m_observed || m_observed->record.holder != m_identity) {
    return {};
  }
  LeaseRecord record = m_observed->record;
  record.holder.clear();
  record.duration = std::chrono::seconds(1);
  const ObjectRef ref{k_leases, m_name_space, m_lease, {}};
  auto written =
      bounded(m_timing.retry_period).replace(ref, lease_to_json(record, m_name_space, m_lease));
  return written ? Status{} : Status(std::move(written).error());
}

void LeaderElector::note_holder() {
  const std::string holder = m_observed ? m_observed->record.holder : std::string();
  {
    const std::lock_guard lock(m_mutex);
    if (m_holder == holder) {
      return;
    }
    m_holder = holder;
  }
  if (m_callbacks.on_new_leader) {
    m_callbacks.on_new_leader(holder);
  }
}

void LeaderElector::trouble(const Error& error) const {
  if (m_callbacks.on_trouble && error.code != ErrorCode::cancelled) {
    m_callbacks.on_trouble(error);
  }
}

bool LeaderElector::is_leader() const {
  return m_client.runtime().clock->steady_now() < leads_until();
}

std::string LeaderElector::holder() const {
  const std::lock_guard lock(m_mutex);
  return m_holder;
}

} // namespace rb::kube
