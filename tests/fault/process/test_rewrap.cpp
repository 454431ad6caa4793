// A rewrap as a program of its own, killed and failed at its system calls: the set is whole and the
// host's key vouches for it, and the next run of the agent leaves one generation of it.
#include "fault/process/campaign.hpp"
#include "set/catalogue.hpp"
#include "set/names.hpp"
#include "sign/signing_key.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

using namespace rb;
using namespace rb::test;

namespace {

struct Bench {
  Bench() : operation(host, "rewrap") {
    host.scratch.write("keys.txt", std::string(host.identity.text().text()) + "\n");
    host.scratch.write("tool", "the static program");
    host.settings.kit_program = host.scratch.path("tool");
    REQUIRE(host.run().succeeded());
    REQUIRE(host.run().succeeded());
  }

  /// All sets of before are complete, open, and are the host's.
  [[nodiscard]] Findings now(const Sets& before) const {
    Findings findings = check_sets(host) + check_still_complete(before, host);
    const sign::PublicKey key =
        sign::read_key_file(host.settings.key_dir + "/signing.key").value().public_key();
    for (const auto& [run_id, made] : set::judge_catalogue(sets_of(host), std::span(&key, 1))) {
      if (made.verdict != set::Provenance::genuine) {
        findings.push_back("set " + run_id + ": " + made.message);
      }
    }
    return findings;
  }

  [[nodiscard]] Findings after(const Sets& before) {
    Findings findings = now(before);
    findings = findings + check_next_run(host);
    const auto sets = sets_of(host);
    for (const auto& [name, content] : host.backups()) {
      const set::NameInfo info = set::classify_name(name);
      const auto found = std::ranges::find(sets, info.run_id, &set::BackupSet::run_id);
      if (found != sets.end() && found->generation != info.generation) {
        findings.push_back("of another generation after the next run: " + name);
      }
    }
    return findings;
  }

  FakeHost host;
  Operation operation;
};

std::string scenario(const Attempt& attempt, std::size_t number, const std::string& fault) {
  return fault + " at " + (attempt.hit ? attempt.hit->call + " " + attempt.hit->path : "nothing") +
         " (number " + std::to_string(number) + ")";
}

} // namespace

TEST_CASE("killed at any system call, a rewrap leaves the old set or the new one, whole") {
  Bench bench;
  Tally tally("SIGKILL at every system call of a rewrap");
  const Which any = [](const Call&) { return true; };
  const std::size_t calls = bench.operation.calls(any);
  for (const std::size_t number : numbers(calls, 60)) {
    const Sets before = complete_sets(bench.host);
    const Attempt attempt = bench.operation.meet(any, number, {Action::Kind::kill, 0});
    tally.count(attempt.traced.signal == SIGKILL ? "killed" : "ended before");
    tally.tried(scenario(attempt, number, "SIGKILL"), bench.after(before));
  }
  CHECK(tally.report());
  CHECK(tally.counted("killed") > tally.cases() / 2);
}

TEST_CASE("ENOSPC and EIO at every write-class call of a rewrap on the backup directory") {
  Bench bench;
  Tally tally("errors at every write-class call of a rewrap");
  const Which which = writes_to(bench.host.settings.backup_dir);
  const std::size_t calls = bench.operation.calls(which);
  REQUIRE(calls > 30);
  for (const int error : {ENOSPC, EIO}) {
    for (const bool on : {false, true}) {
      for (const std::size_t number : numbers(calls, 20)) {
        const Sets before = complete_sets(bench.host);
        const Attempt attempt =
            bench.operation.meet(which, number, {Action::Kind::fail, error}, on);
        Findings findings = bench.now(before);
        if (attempt.traced.signal != 0) {
          findings.push_back("ended by signal " + std::to_string(attempt.traced.signal));
        }
        if (on && attempt.hit && attempt.traced.exit_code == 0) {
          findings.push_back("success was reported though nothing could be written");
        }
        tally.count(attempt.traced.exit_code == 0 ? "went on" : "failed clean");
        tally.tried(scenario(attempt, number, error == ENOSPC ? "ENOSPC" : "EIO"),
                    findings + bench.after(before));
      }
    }
  }
  CHECK(tally.report());
}
