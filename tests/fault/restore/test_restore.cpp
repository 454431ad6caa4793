// railiance-restore as it is shipped, killed and failed at its system calls. Invariant I5: what it
// writes is the old file or the new one, never a mixture; and no failed read passes for a good set.
#include "fault/disk/mounts.hpp"
#include "fault/process/tally.hpp"
#include "fault/process/tracer.hpp"
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <map>

using namespace rb;
using namespace rb::test;

namespace {

const std::string k_run = run_id_of_day(1);

using Files = std::map<std::string, std::string>;

Files files_below(const std::string& directory) {
  Files files;
  if (std::filesystem::exists(directory)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file()) {
        files[entry.path().lexically_relative(directory).string()] =
            read_file(entry.path().string());
      }
    }
  }
  return files;
}

/// A command that writes below `to`, and what is there before it.
struct Job {
  const char* name;
  std::vector<std::string> arguments;
  Files old;
};

class Bench : public BackupFixture {
public:
  Bench() { add_set(k_run); }

  [[nodiscard]] std::string to() const { return file("to"); }

  std::vector<Job> jobs() {
    const std::vector<std::string> decrypt{"decrypt",
                                           artifact(api::ArtifactType::kubeconfig, k_run),
                                           "-i",
                                           keys(),
                                           "-o",
                                           to() + "/kubeconfig"};
    const std::vector<std::string> unpack{
        "restore", "--artifact", "helm-values", "--to", to(), "-i", keys()};
    const auto forced = [](std::vector<std::string> arguments) {
      arguments.emplace_back("--force");
      return arguments;
    };
    return {{"verify", {"verify", "--all", "-i", keys()}, {}},
            {"decrypt", decrypt, {}},
            {"decrypt --force", forced(decrypt), {{"kubeconfig", "old"}}},
            {"restore --artifact", unpack, {}},
            {"restore --artifact --force",
             forced(unpack),
             {{"index.json", "old"}, {"shop/web.yaml", "old"}}}};
  }

  void prepare(const Job& job) const {
    std::filesystem::remove_all(to());
    std::filesystem::create_directories(to());
    for (const auto& [name, content] : job.old) {
      const std::string path = to() + "/" + name;
      std::filesystem::create_directories(std::filesystem::path(path).parent_path());
      write_file(path, content);
    }
  }

  Traced start(const Job& job, const OnCall& on_call) {
    prepare(job);
    std::vector<std::string> arguments{RB_RESTORE, "--backup-dir", backups()};
    arguments.insert(arguments.end(), job.arguments.begin(), job.arguments.end());
    TraceOptions options;
    options.from_marker = false;
    options.output_directory = file("");
    return trace(arguments, options, on_call);
  }

  /// Each file is the old one, the new one, or not there; parts are hidden.
  [[nodiscard]] Findings mixed(const Job& job, const Files& done) const {
    Findings findings;
    for (const auto& [name, content] : files_below(to())) {
      const bool hidden = std::filesystem::path(name).filename().string().starts_with(".");
      const auto now = done.find(name);
      const auto before = job.old.find(name);
      const bool known = (now != done.end() && now->second == content) ||
                         (before != job.old.end() && before->second == content);
      if (!known && !hidden) {
        findings.push_back("I5: " + name + " is neither the old nor the new file");
      }
    }
    for (const auto& [name, content] : job.old) {
      if (!files_below(to()).contains(name)) {
        findings.push_back("I5: " + name + " is gone");
      }
    }
    return findings;
  }
};

} // namespace

TEST_CASE_FIXTURE(Bench, "railiance-restore: killed, starved and lied to at its system calls") {
  const Files backups_before = files_below(backups());
  for (const Job& job : jobs()) {
    std::size_t calls = 0;
    const Traced good = start(job, [&](const Call&) {
      ++calls;
      return Action{};
    });
    INFO(good.err);
    REQUIRE(good.exit_code == 0);
    const Files done = files_below(to());
    Tally kills("SIGKILL at every system call of " + std::string(job.name));
    for (const std::size_t number : numbers(calls, 25)) {
      static_cast<void>(start(job, [&](const Call& call) {
        return call.index == number ? Action{Action::Kind::kill, 0} : Action{};
      }));
      Findings findings = mixed(job, done);
      // It can be done over, with --force where a file is there already.
      kills.tried("call " + std::to_string(number), findings);
    }
    CHECK(kills.report());

    Tally errors("errors at every call on files of " + std::string(job.name));
    const auto ours = [&](const Call& call) {
      const std::string path = call.path();
      return path.starts_with(file("")) && call.name() != "close" && call.name() != "fadvise64";
    };
    std::size_t count = 0;
    static_cast<void>(start(job, [&](const Call& call) {
      count += ours(call) ? 1U : 0U;
      return Action{};
    }));
    for (const int error : {ENOSPC, EDQUOT, EIO, EROFS}) {
      for (const std::size_t number : numbers(count, 12)) {
        std::size_t seen = 0;
        std::string where;
        const Traced traced = start(job, [&](const Call& call) {
          if (!ours(call) || seen++ != number) {
            return Action{};
          }
          where = call.name() + " " + call.path();
          return Action{Action::Kind::fail, error};
        });
        Findings findings = mixed(job, done);
        if (traced.exit_code == 0 && files_below(to()) != done) {
          findings.push_back("success was reported, and not everything is there");
        }
        if (traced.exit_code != 0 && traced.err.empty() && job.arguments.front() != "verify") {
          findings.push_back("it failed without a word");
        }
        if (traced.signal != 0) {
          findings.push_back("ended by signal " + std::to_string(traced.signal));
        }
        errors.count(traced.exit_code == 0 ? "went on" : "failed clean");
        errors.tried("error " + std::to_string(error) + " at " + where, findings);
      }
    }
    CHECK(errors.report());
    CHECK(files_below(backups()) == backups_before);
  }
}

TEST_CASE_FIXTURE(Bench, "no read that fails passes for a good set") {
  const Job job = jobs().front();
  const auto reads = [&](const Call& call) {
    return call.moves_bytes() && !call.writes() && call.path().starts_with(backups());
  };
  std::size_t count = 0;
  REQUIRE(start(job, [&](const Call& call) {
            count += reads(call) ? 1U : 0U;
            return Action{};
          }).exit_code == 0);
  REQUIRE(count > 8);
  Tally tally("EIO at every read of verify");
  for (const std::size_t number : numbers(count, 16)) {
    std::size_t seen = 0;
    const Traced traced = start(job, [&](const Call& call) {
      return reads(call) && seen++ == number ? Action{Action::Kind::fail, EIO} : Action{};
    });
    tally.tried("read " + std::to_string(number),
                traced.exit_code == 0 ? Findings{"verify says that all is well"} : Findings{});
  }
  CHECK(tally.report());
}

TEST_CASE_FIXTURE(Bench, "what railiance-restore says it wrote survives a power cut") {
  LoopDisk disk(to(), "ext4", "data=writeback");
  REQUIRE_MESSAGE(disk.mounted(), "this test needs root and loop devices");
  Tally tally("power cut after railiance-restore");
  const auto all = jobs();
  for (const Job& job : all) {
    if (job.arguments.front() == "verify") {
      continue;
    }
    for (const PowerCut how : {PowerCut::journal_lost, PowerCut::journal_written}) {
      for (const auto& entry : std::filesystem::directory_iterator(to())) {
        std::filesystem::remove_all(entry.path());
      }
      ::sync();
      std::vector<std::string> words{"--backup-dir", backups()};
      words.insert(words.end(), job.arguments.begin(), job.arguments.end());
      const Outcome outcome = run(words);
      INFO(outcome.err);
      REQUIRE(outcome.code == 0);
      const Files done = files_below(to());
      REQUIRE(!done.empty());
      REQUIRE(disk.cut(how));
      REQUIRE(disk.come_back());
      tally.tried(job.name,
                  files_below(to()) == done ? Findings{} : Findings{"it is not what was written"});
    }
  }
  CHECK(tally.report());
}
