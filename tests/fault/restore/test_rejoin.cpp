// railiance-restore rejoin and its way back as they are shipped: killed at the calls that change
// the host or start a program, and told ENOSPC and EIO where they write. Whatever they met, the
// database of before is there, whole and once, and the same command ends it or --rollback undoes
// it, both from one and the same point.
#include "fault/restore/rejoining_host.hpp"
#include "restore/cluster/journal.hpp"
#include "restore/cluster/server_access.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <functional>

using namespace rb;
using namespace rb::test;

namespace {

using Which = std::function<bool(const Call&)>;

constexpr int k_nothing = static_cast<int>(ExitCode::nothing_to_restore);
constexpr std::size_t k_least_calls = 20; ///< Fewer: the tracer does not see the files.
constexpr std::size_t k_shown_bytes = 300;

/// A command, and the host that it finds.
struct Job {
  std::string name;
  std::vector<std::string> words;
  HostTree from;
  bool back = false;
  std::size_t kills = 0; ///< So many of each are tried in the short form.
  std::size_t errors = 0;
};

bool changes(const Call& call) {
  return call.writes() && is_of_host(call.path());
}

/// Between two of them nothing on the host is another.
bool matters(const Call& call) {
  return call.begins() || changes(call);
}

std::string end_of(std::string text) {
  std::ranges::replace(text, '\n', '|');
  return text.substr(text.size() - std::min(text.size(), k_shown_bytes));
}

std::vector<Job> jobs_of(const RejoiningHost& host, const std::string& data) {
  RejoiningHost::put(host.before());
  REQUIRE(RejoiningHost::now() == host.before());
  const ProcessResult good = host.rejoin({});
  INFO(good.out);
  INFO(good.err);
  REQUIRE(good.exit_status == 0);
  const HostTree joined = RejoiningHost::now();
  const Findings wrong = host.not_joined(joined);
  INFO((wrong.empty() ? std::string() : wrong.front()));
  REQUIRE(wrong.empty());
  return {{"rejoin, " + data, {}, host.before(), false, 4, 4},
          {"rejoin --rollback, " + data, {"--rollback"}, joined, true, 3, 3}};
}

/// The numbered one (from 0) of the calls that `which` chooses met `action`.
struct Attempt {
  Traced traced;
  std::string call; ///< Empty: there were fewer such calls.
  std::string path;
};

Attempt meet(const RejoiningHost& host,
             const Job& job,
             const Which& which,
             std::size_t number,
             const Action& action) {
  RejoiningHost::put(job.from);
  Attempt attempt;
  std::size_t seen = 0;
  attempt.traced = host.meet(job.words, [&](const Call& call) {
    if (!which(call) || seen++ != number) {
      return Action{};
    }
    attempt.call = call.name();
    attempt.path = call.path();
    return action;
  });
  attempt.traced.calls = seen;
  return attempt;
}

std::size_t count_of(const RejoiningHost& host, const Job& job, const Which& which) {
  const Traced good = meet(host, job, which, 0, {}).traced;
  INFO(good.err);
  REQUIRE(good.exit_code == 0);
  REQUIRE(good.calls > k_least_calls);
  return good.calls;
}

/// By the same command, or by --resume where that finds something.
Findings end_it(const RejoiningHost& host, bool resume) {
  ProcessResult result;
  result.exit_status = k_nothing;
  if (resume) {
    result = host.rejoin({"--resume"});
  }
  if (result.exit_status == k_nothing) {
    result = host.rejoin({});
  }
  Findings findings = host.not_joined(RejoiningHost::now());
  if (result.exit_status != 0) {
    findings.push_back("it was not ended: " + end_of(result.err));
  }
  return findings;
}

Findings undo_it(const RejoiningHost& host) {
  const ProcessResult result = host.rejoin({"--rollback"});
  Findings findings = host.not_as_before(RejoiningHost::now());
  if (result.exit_status != 0 && result.exit_status != k_nothing) {
    findings.push_back("it was not undone: " + end_of(result.err));
  }
  return findings;
}

/// What was met left this host; of a way back there is one end only.
Findings both_ends(const RejoiningHost& host, const Job& job, std::size_t number) {
  const HostTree point = RejoiningHost::now();
  Findings findings = host.harmed(point);
  if (!job.back) {
    findings = findings + end_it(host, number % 2 == 1);
    RejoiningHost::put(point);
  }
  return findings + undo_it(host);
}

/// What it said of the failure, and what it did not do all the same.
Findings told(const RejoiningHost& host, const Job& job, const Attempt& attempt, int error) {
  Findings findings;
  const Traced& traced = attempt.traced;
  const bool named = names_failure(traced.err, attempt.path, error);
  // One that failed once is repeated, or an empty directory is left.
  const bool removes = attempt.call.starts_with("unlink") || attempt.call == "rmdir";
  if (traced.signal != 0) {
    findings.push_back("ended by signal " + std::to_string(traced.signal));
  } else if (traced.exit_code != 0 && !named) {
    findings.push_back("it failed, and does not name the path: " + end_of(traced.err));
  } else if (traced.exit_code == 0 && !named && !removes && !attempt.call.empty()) {
    findings.emplace_back("it went on without a word");
  }
  if (traced.exit_code == 0) {
    const HostTree tree = RejoiningHost::now();
    findings = findings + (job.back ? host.not_as_before(tree) : host.not_joined(tree));
  }
  if (holds_secret(traced.err)) {
    findings.emplace_back("it shows a secret");
  }
  return findings;
}

void kill_at_each(const RejoiningHost& host, const Job& job) {
  const std::size_t count = count_of(host, job, matters);
  Tally tally("SIGKILL at every call that changes the host or starts a program, " + job.name);
  for (const std::size_t number : numbers(count, job.kills)) {
    const Attempt attempt = meet(host, job, matters, number, {Action::Kind::kill, 0});
    tally.count(attempt.traced.signal == SIGKILL ? "killed" : "went on");
    tally.tried("call " + std::to_string(number) + ", " + attempt.call + " " + attempt.path,
                both_ends(host, job, number));
  }
  CHECK(tally.counted("killed") == tally.cases());
  CHECK(tally.report());
}

void fail_at_each(const RejoiningHost& host, const Job& job) {
  const std::size_t count = count_of(host, job, changes);
  Tally tally("ENOSPC and EIO at every call that writes, " + job.name);
  for (const int error : {ENOSPC, EIO}) {
    for (const std::size_t number : numbers(count, job.errors)) {
      const Attempt attempt = meet(host, job, changes, number, {Action::Kind::fail, error});
      Findings findings = told(host, job, attempt, error);
      tally.count(attempt.traced.exit_code == 0 ? "went on" : "failed clean");
      tally.tried("error " + std::to_string(error) + " at call " + std::to_string(number) + ", " +
                      attempt.call + " " + attempt.path,
                  findings + both_ends(host, job, number));
    }
  }
  // Of few that are drawn, the first and the last among them, all may be of no weight.
  CHECK((tally.counted("failed clean") > 0 || !long_campaign()));
  CHECK(tally.report());
}

void on_both_disks(const std::function<void(const RejoiningHost&, const Job&)>& campaign) {
  for (const OldData old : {OldData::database, OldData::nothing}) {
    const RejoiningHost host(old);
    REQUIRE_MESSAGE(host.mounted(), "this test needs root");
    for (const Job& job : jobs_of(host, old == OldData::database ? "old database" : "empty disk")) {
      campaign(host, job);
    }
  }
}

} // namespace

TEST_CASE(
    "a rejoin that is killed is ended by the same command or undone, and so is its way back") {
  on_both_disks(kill_at_each);
}

TEST_CASE(
    "a dry run beside one that works is refused, and leaves the file by which that one asks") {
  const RejoiningHost host(OldData::database);
  REQUIRE_MESSAGE(host.mounted(), "this test needs root");
  RejoiningHost::put(host.before());
  const auto lock = cluster::RestoreLock::acquire();
  REQUIRE(lock);
  write_file(cluster::k_access_file, "of the one that works");
  const ProcessResult refused = host.rejoin({"--dry-run"});
  CHECK(refused.exit_status == static_cast<int>(exit_code_for(ErrorCode::busy)));
  CHECK(refused.err.find("wait for its end") != std::string::npos);
  CHECK(read_file(cluster::k_access_file) == "of the one that works");
}

TEST_CASE("a rejoin that cannot write names the path, and is ended or undone; so is its way back") {
  on_both_disks(fail_at_each);
}
