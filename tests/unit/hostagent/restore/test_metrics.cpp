// railiance-restore metrics: the text file for hosts that nobody scrapes.
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace rb;
using namespace rb::test;

namespace {

bool has(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

} // namespace

TEST_CASE("metrics: the sets of the directory, under the name of their node") {
  BackupFixture fixture;
  fixture.add_set(run_id_of_day(1));
  fixture.add_incomplete_set(run_id_of_day(2));
  const Outcome outcome = fixture.run({"metrics"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "railiance_backup_retained_sets{state=\"complete\",node=\"server-1\"} 1"));
  CHECK(
      has(outcome.out, "railiance_backup_retained_sets{state=\"incomplete\",node=\"server-1\"} 1"));
  CHECK(has(outcome.out, "railiance_backup_never_ran{node=\"server-1\"} 0"));
  CHECK(outcome.out.find("expected_interval") == std::string::npos);
}

TEST_CASE("metrics: where no backup was ever made, that is said") {
  BackupFixture fixture;
  std::filesystem::remove_all(fixture.backups());
  const Outcome outcome = fixture.run({"metrics", "--node", "n1"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "railiance_backup_never_ran{node=\"n1\"} 1"));
  CHECK(
      has(outcome.out,
          "railiance_backup_last_success_timestamp_seconds{artifact=\"EtcdSnapshot\",node=\"n1\"} "
          "0"));
  CHECK(outcome.err.find("there is no such directory") != std::string::npos);
}

TEST_CASE("metrics: a text file is replaced in one step and can be read by all") {
  BackupFixture fixture;
  fixture.add_set(run_id_of_day(1));
  const std::string path = fixture.file("railiance.prom");
  std::ofstream(path) << "old";
  const mode_t umask_before = ::umask(0077);
  const Outcome outcome =
      fixture.run({"metrics", "--textfile", path, "--expected-interval-seconds", "86400"});
  ::umask(umask_before);
  CHECK(outcome.code == 0);
  CHECK(outcome.out.empty());
  CHECK(has(content(path), "railiance_backup_expected_interval_seconds 86400"));
  CHECK(mode_of(path) == "644");
  CHECK_FALSE(std::filesystem::exists(path + ".part"));
  CHECK(content(path).find("AGE-SECRET") == std::string::npos);
  CHECK(content(path).find("age1") == std::string::npos);
}

TEST_CASE("metrics: a link in the way of the text file is not followed") {
  BackupFixture fixture;
  const std::string victim = fixture.file("victim");
  std::ofstream(victim) << "mine";
  const std::string path = fixture.file("railiance.prom");
  std::filesystem::create_symlink(victim, path + ".part");
  CHECK(fixture.run({"metrics", "--textfile", path}).code == 0);
  CHECK(content(victim) == "mine");
  CHECK_FALSE(content(path).empty());
}

TEST_CASE("metrics: a text file that cannot be written is a failure with a name") {
  BackupFixture fixture;
  const Outcome outcome = fixture.run({"metrics", "--textfile", fixture.file("no/such/x.prom")});
  CHECK(outcome.code == 1);
  CHECK(outcome.err.find(": open: no such file or directory") != std::string::npos);
}

TEST_CASE("metrics: a wrong interval is usage") {
  BackupFixture fixture;
  CHECK(fixture.run({"metrics", "--expected-interval-seconds", "0"}).code == 2);
}
