#include "controller/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

namespace rb::controller {

namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using Buckets = Histogram::BucketBoundaries;

#define RB_METRIC(name) "railiance_backup_controller_" name

Family<Counter>& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
Family<Gauge>& gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
Family<Histogram>& histogram(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

const Buckets& quick() {
  static const Buckets buckets{0.001, 0.005, 0.02, 0.1, 0.5, 2, 10};
  return buckets;
}
const Buckets& slow() {
  static const Buckets buckets{1, 3, 10, 30, 60, 300, 900, 3600};
  return buckets;
}

} // namespace

struct Metrics::Families {
  explicit Families(prometheus::Registry& r)
      : runs(counter(r, RB_METRIC("runs_total"), "Runs that ended, by result.")),
        run_seconds(histogram(r, RB_METRIC("run_duration_seconds"), "From start to end of a run.")
                        .Add({}, slow())),
        last_success(gauge(r,
                           RB_METRIC("last_success_timestamp_seconds"),
                           "When the latest successful run ended; 0: none is known.")
                         .Add({})),
        unfinished(gauge(r, RB_METRIC("unfinished_runs"), "Runs that wait or go on.").Add({})),
        reconciles(counter(r, RB_METRIC("reconcile_total"), "Plans carried out, by result.")),
        reconcile_errors(
            counter(r, RB_METRIC("reconcile_errors_total"), "Plans of which a part failed.")
                .Add({})),
        reconcile_seconds(histogram(r, RB_METRIC("reconcile_time_seconds"), "Time of one plan.")
                              .Add({}, quick())),
        helm_seconds(
            histogram(r, RB_METRIC("helm_collect_seconds"), "Time of the Helm step of a run.")
                .Add({}, quick())),
        helm_releases(
            gauge(r, RB_METRIC("helm_releases"), "Releases in the latest Helm artifact.").Add({})),
        watch_restarts(counter(
            r, RB_METRIC("watch_restarts_total"), "Watches that were opened again, by resource.")),
        events_dropped(
            counter(r, RB_METRIC("events_dropped_total"), "Events that could not be written.")
                .Add({})),
        requests(counter(r, "rest_client_requests_total", "Requests to the API server.")),
        request_seconds(histogram(
            r, "rest_client_request_duration_seconds", "Time of a request to the API server.")),
        notify_failures(counter(r,
                                "railiance_backup_notify_failures_total",
                                "Attempts to tell a receiver of notices that failed.")),
        leader(gauge(r, "leader_election_master_status", "1 while this process leads.")) {
    gauge(r, RB_METRIC("build_info"), "The version of this program.")
        .Add({{"version", RB_VERSION}})
        .Set(1);
    for (const char* result : {"succeeded", "incomplete", "failed"}) {
      runs.Add({{"result", result}});
    }
    for (const char* receiver : {"DeadMan", "Webhook"}) {
      notify_failures.Add({{"receiver", receiver}});
    }
  }

  Family<Counter>& runs;
  Histogram& run_seconds;
  Gauge& last_success;
  Gauge& unfinished;
  Family<Counter>& reconciles;
  Counter& reconcile_errors;
  Histogram& reconcile_seconds;
  Histogram& helm_seconds;
  Gauge& helm_releases;
  Family<Counter>& watch_restarts;
  Counter& events_dropped;
  Family<Counter>& requests;
  Family<Histogram>& request_seconds;
  Family<Counter>& notify_failures;
  Family<Gauge>& leader;
};

Metrics::Metrics()
    : m_registry(std::make_shared<prometheus::Registry>()),
      m_families(std::make_unique<Families>(*m_registry)) {}

Metrics::~Metrics() = default;

void Metrics::request_done(std::string_view method, std::string_view code, double seconds) {
  m_families->requests.Add({{"method", std::string(method)}, {"code", std::string(code)}})
      .Increment();
  m_families->request_seconds.Add({{"method", std::string(method)}}, quick()).Observe(seconds);
}

void Metrics::watch_restarted(std::string_view plural, bool relisted) {
  m_families->watch_restarts
      .Add({{"resource", std::string(plural)}, {"relisted", relisted ? "true" : "false"}})
      .Increment();
}

void Metrics::leader_changed(std::string_view lease, bool is_leader) {
  m_families->leader.Add({{"name", std::string(lease)}}).Set(is_leader ? 1 : 0);
}

void Metrics::event_dropped() {
  m_families->events_dropped.Increment();
}

void Metrics::run_ended(std::string_view result, double seconds) {
  m_families->runs.Add({{"result", std::string(result)}}).Increment();
  m_families->run_seconds.Observe(seconds);
}

void Metrics::last_success(SystemTime time) {
  m_families->last_success.Set(static_cast<double>(time.time_since_epoch().count()));
}

void Metrics::unfinished_runs(std::size_t count) {
  m_families->unfinished.Set(static_cast<double>(count));
}

void Metrics::reconciled(bool failed, double seconds) {
  m_families->reconciles.Add({{"result", failed ? "error" : "success"}}).Increment();
  if (failed) {
    m_families->reconcile_errors.Increment();
  }
  m_families->reconcile_seconds.Observe(seconds);
}

void Metrics::helm_collected(double seconds, std::int64_t releases) {
  m_families->helm_seconds.Observe(seconds);
  m_families->helm_releases.Set(static_cast<double>(releases));
}

void Metrics::notify_failed(const std::string& receiver) {
  m_families->notify_failures.Add({{"receiver", receiver}}).Increment();
}

} // namespace rb::controller
