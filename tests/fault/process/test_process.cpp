// The real operations of the agent as programs of their own, killed and failed at their system
// calls: what was there stays, the next run clears up without help, and nobody is told a lie.
#include "agent/run/leftovers.hpp"
#include "fault/process/campaign.hpp"
#include "set/backup_log.hpp"
#include "set/names.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>
#include <set>

using namespace rb;
using namespace rb::test;

namespace {

/// A host with two sets and an operation on it.
struct Bench {
  explicit Bench(const std::string& name, bool sqlite = false) : operation(host, name) {
    if (sqlite) {
      host.use_sqlite();
    }
    host.scratch.write("tool", "the static program");
    REQUIRE(host.run().succeeded());
    REQUIRE(host.run().succeeded());
    if (name == "sweep") {
      operation.before = [this] { plant_leftovers(host); };
    }
    keep = name == "prune" ? 1 : 2;
  }

  /// Everything that must hold, whatever happened.
  [[nodiscard]] Findings after(const Sets& before) {
    return check_sets(host) + check_history(before, host, keep) + check_next_run(host);
  }

  FakeHost host;
  Operation operation;
  std::size_t keep = 2;
};

std::string scenario(const Attempt& attempt, std::size_t number, const std::string& fault) {
  return fault + " at " + (attempt.hit ? attempt.hit->call + " " + attempt.hit->path : "nothing") +
         " (number " + std::to_string(number) + ")";
}

bool any_call(const Call&) {
  return true;
}

struct Errno {
  int number;
  const char* name;
  const char* words;
};
constexpr Errno k_write_errors[] = {{ENOSPC, "ENOSPC", "no space left on device"},
                                    {EDQUOT, "EDQUOT", "disk quota exceeded"},
                                    {EIO, "EIO", "input/output error"},
                                    {EROFS, "EROFS", "read-only file system"}};

/// A run that says it is done left its set; one that does not says why, and left none. `cleans`:
/// after a failure it could remove what it had stored, so that nothing of the run is there.
Findings
honest(const Bench& bench, const Attempt& attempt, const std::string& cause, bool cleans = true) {
  Findings findings;
  const bool whole = complete_sets(bench.host).contains(attempt.run_id);
  const std::string& err = attempt.traced.err;
  if (attempt.traced.signal != 0) {
    findings.push_back("ended by signal " + std::to_string(attempt.traced.signal));
  } else if (attempt.traced.exit_code == 0 && !whole) {
    findings.push_back("success was reported, but there is no complete set");
  } else if (attempt.traced.exit_code != 0) {
    // The one exception of ArtifactWriter::commit: the very last sync fails, and the removal too.
    const bool last_sync =
        !cleans && attempt.hit && attempt.hit->path == bench.host.settings.backup_dir;
    if (whole && !last_sync && err.find("the set is whole") == std::string::npos) {
      findings.push_back("failure was reported (" + err + "), but there is a complete set");
    }
    if (err.find(cause) == std::string::npos) {
      findings.push_back("the cause is not named: " + err);
    }
    // An incomplete set has a manifest that says so, and stays.
    const auto files = bench.host.backups();
    const bool kept = whole || files.contains(set::manifest_name(attempt.run_id));
    for (const auto& [name, content] : files) {
      if (cleans && !kept && name.find(attempt.run_id) != std::string::npos) {
        findings.push_back("left of the failed run: " + name);
      }
    }
  }
  return findings;
}

/// What the directory shows of a run that was cut off: the next start must say so in backup.log.
bool left_traces(const FakeHost& host, const std::string& run_id) {
  auto directory = set::Directory::open_existing(host.settings.backup_dir).value();
  const auto runs =
      agent::cut_off_runs(directory.fs().list().value(), agent::unfinished_runs(directory).value());
  return std::ranges::find(runs, run_id) != runs.end();
}

bool has_line(const FakeHost& host, const std::string& run_id) {
  auto directory = set::Directory::open_existing(host.settings.backup_dir).value();
  return set::has_line(directory, "backup", run_id).value();
}

void kill_everywhere(const std::string& name, std::size_t few, bool sqlite = false) {
  Bench bench(name, sqlite);
  Tally tally("SIGKILL at every system call of " + name + (sqlite ? " on SQLite" : ""));
  const std::size_t calls = bench.operation.calls(any_call);
  for (const std::size_t number : numbers(calls, few)) {
    const Sets before = complete_sets(bench.host);
    const Attempt attempt = bench.operation.meet(any_call, number, {Action::Kind::kill, 0});
    tally.count(attempt.traced.signal == SIGKILL ? "killed" : "ended before");
    const bool traces = left_traces(bench.host, attempt.run_id);
    tally.count(traces ? "left traces" : "left none");
    Findings findings = bench.after(before);
    if (traces && !has_line(bench.host, attempt.run_id)) {
      findings.push_back("run " + attempt.run_id + " has no line in backup.log");
    }
    tally.tried(scenario(attempt, number, "SIGKILL"), findings);
  }
  CHECK(tally.report());
  CHECK(tally.counted("killed") > tally.cases() / 2);
}

} // namespace

TEST_CASE("killed at any system call, an operation harms nothing, and the next run clears up") {
  kill_everywhere("backup", 60);
  kill_everywhere("backup", 40, true);
  kill_everywhere("backup-small", 30);
  kill_everywhere("prune", 20);
  kill_everywhere("sweep", 20);
}

TEST_CASE("errors at every write-class call on the copy of an SQLite database") {
  Bench bench("backup", true);
  Tally tally("errors at every write of the copy");
  const Which which = writes_to(bench.host.scratch.path("data/server/db/snapshots"));
  const std::size_t calls = bench.operation.calls(which);
  for (const Errno& error : k_write_errors) {
    for (const std::size_t number : numbers(calls, 8)) {
      const Sets before = complete_sets(bench.host);
      const Attempt attempt =
          bench.operation.meet(which, number, {Action::Kind::fail, error.number}, false);
      tally.count(attempt.traced.exit_code == 0 ? "succeeded" : "failed clean");
      Findings findings = honest(bench, attempt, "") + bench.after(before);
      if (!bench.host.snapshots().empty()) {
        findings.push_back("a copy in clear is left");
      }
      tally.tried(scenario(attempt, number, error.name), findings);
    }
  }
  CHECK(tally.report());
  CHECK(tally.counted("failed clean") > 0);
}

TEST_CASE("ENOSPC, EDQUOT, EIO and EROFS at every write-class call on the backup directory") {
  for (const char* const name : {"backup", "backup-small", "prune", "sweep"}) {
    Bench bench(name);
    const bool runs = std::string_view(name).starts_with("backup");
    Tally tally(std::string("errors at every write-class call of ") + name);
    const Which which = writes_to(bench.host.settings.backup_dir);
    const std::size_t calls = bench.operation.calls(which);
    for (const Errno& error : k_write_errors) {
      for (const bool on : {false, true}) {
        for (const std::size_t number : numbers(calls, runs ? 6 : 3)) {
          const Sets before = complete_sets(bench.host);
          const Attempt attempt =
              bench.operation.meet(which, number, {Action::Kind::fail, error.number}, on);
          const bool cleans = !on && attempt.hit && attempt.hit->call != "unlinkat";
          Findings findings = runs ? honest(bench, attempt, error.words, cleans) : Findings();
          findings = findings + bench.after(before);
          tally.count(attempt.traced.exit_code == 0 ? "went on" : "failed clean");
          tally.tried(
              scenario(attempt, number, error.name + std::string(on ? " from there on" : "")),
              findings);
        }
      }
    }
    CHECK(tally.report());
  }
}

TEST_CASE("an fsync or close that fails once and then succeeds: nothing is reported durable") {
  Bench bench("backup");
  Tally tally("fsync and close that fail once");
  const std::string& directory = bench.host.settings.backup_dir;
  // Of the descriptors of a part the first is the one that it was written through.
  const auto which = [&directory]() -> Which {
    return [&directory, closed = std::make_shared<std::set<std::string>>()](const Call& call) {
      const std::string path = call.path();
      const bool closes =
          call.name() == "close" && path.ends_with(".part") && closed->insert(path).second;
      return path.starts_with(directory) && (call.syncs() || closes);
    };
  };
  const std::size_t calls = bench.operation.calls(which());
  REQUIRE(calls >= 20);
  for (const std::size_t number : numbers(calls, calls)) {
    const Sets before = complete_sets(bench.host);
    const Attempt attempt = bench.operation.meet(which(), number, {Action::Kind::fail, EIO});
    if (!attempt.hit) {
      tally.count("not reached: the kit is written once only");
      static_cast<void>(check_next_run(bench.host));
      continue;
    }
    Findings findings = honest(bench, attempt, "input/output error");
    // The log and the kit may fail, retention is tried again, artifacts and stamp must not lie.
    const std::string& path = attempt.hit->path;
    const bool content = path.ends_with(".part") && path.find("RESTORE.md") == std::string::npos &&
                         path.find("railiance-restore") == std::string::npos;
    if (content && attempt.traced.exit_code == 0) {
      findings.push_back("success was reported");
    }
    tally.count(attempt.traced.exit_code == 0 ? "went on" : "failed clean");
    tally.tried(scenario(attempt, number, "EIO"), findings + bench.after(before));
  }
  CHECK(tally.report());
  CHECK(tally.counted("failed clean") >= 12);
}

TEST_CASE("short reads and writes, and EINTR, at every transfer of a run change nothing") {
  Bench bench("backup");
  Tally tally("short transfers and EINTR");
  for (const bool writes : {false, true}) {
    const Which which = [&](const Call& call) {
      return call.moves_bytes() && call.writes() == writes &&
             call.path().starts_with(bench.host.scratch.path() + "/");
    };
    const std::size_t calls = bench.operation.calls(which);
    for (const Action& action :
         {Action{Action::Kind::shorten, 0}, Action{Action::Kind::fail, EINTR}}) {
      for (const std::size_t number : numbers(calls, 10)) {
        const Sets before = complete_sets(bench.host);
        const Attempt attempt = bench.operation.meet(which, number, action);
        Findings findings = honest(bench, attempt, "");
        if (attempt.traced.exit_code != 0) {
          findings.push_back("it did not go on: " + attempt.traced.err);
        }
        findings = findings + bench.after(before);
        tally.tried(scenario(attempt, number, action.error == 0 ? "short" : "EINTR"), findings);
      }
    }
  }
  CHECK(tally.report());
}

namespace {

/// EIO at the calls that read something at or below `place` of the host, at most `most` of them.
bool survives_failed_reads(const std::string& place, std::size_t most, const std::string& what) {
  Bench bench("backup");
  Tally tally(what);
  const Which which = [&](const Call& call) {
    return !call.writes() && call.name() != "close" &&
           call.path().starts_with(bench.host.scratch.path() + place);
  };
  const std::size_t calls = bench.operation.calls(which);
  for (const std::size_t number : numbers(calls, most)) {
    const Sets before = complete_sets(bench.host);
    const Attempt attempt = bench.operation.meet(which, number, {Action::Kind::fail, EIO});
    Findings findings = honest(bench, attempt, "");
    findings = findings + bench.after(before);
    tally.count(attempt.traced.exit_code == 0 ? "went on" : "failed clean");
    tally.tried(scenario(attempt, number, "EIO"), findings);
  }
  return tally.report();
}

} // namespace

TEST_CASE("EIO at every read, stat and listing of the host: a clean failure, or none") {
  CHECK(survives_failed_reads("/", 20, "EIO at every read, stat and listing"));
}

TEST_CASE("EIO at every look at k3s's snapshots: no plaintext is forgotten") {
  CHECK(survives_failed_reads(
      "/data/server/db/snapshots", 24, "EIO at every look at k3s's snapshots"));
}
