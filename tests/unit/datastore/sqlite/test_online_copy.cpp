#include "datastore/sqlite/kine.hpp"
#include "datastore/sqlite/online_copy.hpp"
#include "support/kine_database.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <thread>

using namespace rb;
using namespace rb::sqlite;
using test::KineDatabase;

namespace {

struct Host {
  test::Scratch scratch;
  CopyOrder order{scratch.path("state.db"), scratch.path("copy")};

  [[nodiscard]] Result<datastore::CopyFacts> copied() const {
    const std::string bytes = scratch.read("copy");
    MemoryReader reader(as_bytes(bytes));
    return inspect(reader, {.depth = Depth::whole});
  }
};

void fill(KineDatabase& database, int keys, std::size_t value_bytes = 400) {
  database.run("BEGIN");
  for (int i = 0; i < keys; ++i) {
    database.put("/registry/pods/default/" + std::to_string(i), std::string(value_bytes, 'x'));
  }
  database.run("COMMIT");
}

/// A process of its own, which has the database open; told to go on, it writes, and compacts.
class Server {
public:
  explicit Server(const std::string& database) {
    REQUIRE(::pipe2(m_to.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(m_from.data(), O_CLOEXEC) == 0);
    m_pid = ::fork();
    if (m_pid == 0) {
      run(database);
      ::_exit(0);
    }
    char ready = 0;
    REQUIRE(::read(m_from[0], &ready, 1) == 1);
  }
  ~Server() { static_cast<void>(::waitpid(m_pid, nullptr, 0)); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  Server(Server&&) = delete;
  Server& operator=(Server&&) = delete;

  void go_on() {
    if (!m_went_on) {
      REQUIRE(::write(m_to[1], "x", 1) == 1);
    }
    m_went_on = true;
  }
  std::int64_t waited_milliseconds() {
    std::int64_t waited = 0;
    REQUIRE(::read(m_from[0], &waited, sizeof(waited)) == sizeof(waited));
    REQUIRE(::write(m_to[1], "x", 1) == 1); // it may close the database
    return waited;
  }

private:
  void run(const std::string& database) const {
    KineDatabase kine(database);
    kine.put("/registry/pods/default/first",
             "there is a log"); // and stays, as long as this is open
    char word = 'x';
    const bool told = ::write(m_from[1], &word, 1) == 1 && ::read(m_to[0], &word, 1) == 1;
    kine.put("/registry/pods/default/first", "newer than the copy");
    const auto begin = std::chrono::steady_clock::now();
    const bool compacted = kine.compact(30'000);
    const std::int64_t waited = std::chrono::duration_cast<std::chrono::milliseconds>(
                                    std::chrono::steady_clock::now() - begin)
                                    .count();
    const std::int64_t told_back = told && compacted ? waited : 1'000'000;
    const bool done = ::write(m_from[1], &told_back, sizeof(told_back)) > 0;
    static_cast<void>(done && ::read(m_to[0], &word, 1) == 1);
  }

  std::array<int, 2> m_to{};
  std::array<int, 2> m_from{};
  pid_t m_pid = -1;
  bool m_went_on = false;
};

std::string bytes_of_log(const Host& host) {
  return host.scratch.read("state.db-wal");
}

} // namespace

TEST_CASE("a copy holds what stands in the log only, and touches neither file nor log") {
  const Host host;
  KineDatabase database(host.order.source);
  database.run("PRAGMA wal_autocheckpoint=0");
  fill(database, 200);
  const std::string file = host.scratch.read("state.db");
  const std::string log = bytes_of_log(host);
  CHECK(log.size() > file.size());
  REQUIRE(copy_online(host.order, {}));
  CHECK(host.copied()->revision == 200);
  CHECK(host.scratch.read("state.db") == file);
  CHECK(bytes_of_log(host) == log);
}

TEST_CASE("the copy is for its owner alone, and no file lies beside it") {
  const Host host;
  KineDatabase database(host.order.source);
  fill(database, 2000, 4000);
  std::size_t most = 0;
  const auto count = [&host] {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(host.scratch.path())) {
      files += entry.path().filename().string().starts_with("copy") ? 1U : 0U;
    }
    return files;
  };
  REQUIRE(copy_online(host.order, {}, [&](std::uint64_t /*done*/, std::uint64_t /*total*/) {
    most = std::max(most, count());
  }));
  struct stat status {};
  REQUIRE(::stat(host.order.target.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  CHECK(count() == 1);
  CHECK(most == 1);
}

TEST_CASE("writers are not held up, and what they write meanwhile is whole or absent") {
  const Host host;
  KineDatabase database(host.order.source);
  fill(database, 2000, 4000);
  std::atomic<bool> copied = false;
  std::int64_t written = 0;
  std::thread writer([&] {
    KineDatabase other(host.order.source);
    while (!copied || written < 2100) {
      written = other.put("/registry/pods/default/late", std::string(400, 'y'));
    }
  });
  const Status done = copy_online(host.order, {});
  copied = true;
  writer.join();
  REQUIRE(done);
  const auto facts = host.copied();
  REQUIRE(facts);
  CHECK(facts->revision >= 2000);
  CHECK(facts->revision <= written);
  CHECK(written > facts->revision - 1);
}

TEST_CASE("a compaction meanwhile harms nothing") {
  const Host host;
  KineDatabase database(host.order.source);
  fill(database, 3000, 2000);
  std::atomic<bool> copied = false;
  std::thread compactor([&] {
    KineDatabase other(host.order.source);
    while (!copied) {
      other.put("/registry/pods/default/1", "again");
      other.compact(100);
    }
  });
  const Status done = copy_online(host.order, {});
  copied = true;
  compactor.join();
  REQUIRE(done);
  const auto facts = host.copied();
  REQUIRE(facts);
  CHECK(facts->total_keys == 3000);
}

TEST_CASE("a compaction of the server does not wait for a copy: that begins anew, and is whole") {
  Host host;
  host.order.in_the_way = std::chrono::milliseconds(100);
  {
    KineDatabase database(host.order.source);
    fill(database, 5000, 4000);
  }
  // Locks of one's own process are not seen; SQLite has nothing open at the fork.
  Server server(host.order.source);
  int begun = 0;
  std::uint64_t last = 0;
  REQUIRE(copy_online(host.order, {}, [&](std::uint64_t done, std::uint64_t /*total*/) {
    begun += done <= last || begun == 0 ? 1 : 0;
    last = done;
    if (begun == 1) {
      server.go_on(); // a write that the copy does not have, and the checkpoint
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
  }));
  CHECK(server.waited_milliseconds() < 30'000); // it had its turn
  CHECK(begun == 2);
  const auto facts = host.copied();
  REQUIRE(facts);
  CHECK(facts->total_keys == 5001);
}

TEST_CASE("of a database that once grew, what is in use is copied: ids stay, and the source is as "
          "it was") {
  Host host;
  KineDatabase database(host.order.source);
  fill(database, 3000, 4000);
  database.run("DELETE FROM kine WHERE id < 2900; UPDATE sqlite_sequence SET seq = 5000");
  host.order.spare_bytes = 1U << 20U;
  const std::string file = host.scratch.read("state.db");
  const std::string log = bytes_of_log(host);
  REQUIRE(copy_online(host.order, {}));
  const std::string copy = host.scratch.read("copy");
  CHECK(copy.size() < 2'000'000);
  CHECK(file.size() > 10'000'000);
  const auto facts = host.copied();
  REQUIRE(facts);
  CHECK(facts->revision == 3000);
  CHECK(facts->total_keys == 101);
  CHECK(host.scratch.read("state.db") == file);
  CHECK(bytes_of_log(host) == log);
  CHECK_FALSE(host.scratch.exists("copy-journal"));
  struct stat status {};
  REQUIRE(::stat(host.order.target.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  KineDatabase restored(host.order.target);
  CHECK(restored.put("/registry/pods/default/next") == 5001); // no revision comes twice
}

TEST_CASE("what is free in a small or a full database is copied along") {
  const Host host;
  KineDatabase database(host.order.source);
  fill(database, 1000, 4000);
  database.run("DELETE FROM kine WHERE id < 900");
  REQUIRE(copy_online(host.order, {}));
  CHECK(host.scratch.read("copy").size() == *copy_bytes(host.order.source, {}));
  CHECK(host.scratch.read("copy").size() > 4'000'000);
}

TEST_CASE("a log that is missing beside a database that needs it is no copy of the past") {
  const Host host;
  {
    KineDatabase database(host.order.source);
    fill(database, 10);
  } // closed: the log is gone
  const Status refused = copy_online(host.order, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::not_found);
  CHECK(refused.error().message.find("state.db-wal") != std::string::npos);
  CHECK_FALSE(host.scratch.exists("state.db-wal"));
  CHECK_FALSE(host.scratch.exists("copy"));
}

TEST_CASE("a link to the database is followed, to its log, too") {
  const Host host;
  host.scratch.make_directory("disk");
  KineDatabase database(host.scratch.path("disk/state.db"));
  fill(database, 10);
  std::filesystem::create_symlink("disk/state.db", host.order.source);
  REQUIRE(copy_online(host.order, {}));
  const auto facts = host.copied();
  REQUIRE(facts);
  CHECK(facts->total_keys == 10);
}

TEST_CASE("a database that is none, or is not there, is no copy") {
  const Host host;
  CHECK(copy_online(host.order, {}).error().code == ErrorCode::not_found);
  host.scratch.write("state.db", "");
  CHECK(copy_online(host.order, {}).error().code == ErrorCode::corrupt);
  host.scratch.write("state.db", std::string(8192, 'x'));
  CHECK(copy_online(host.order, {}).error().code == ErrorCode::corrupt);
  CHECK_FALSE(host.scratch.exists("copy"));
}

TEST_CASE("a database that somebody else has locked is busy, and no copy") {
  Host host;
  KineDatabase database(host.order.source);
  fill(database, 10);
  database.run("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
  host.order.patience = std::chrono::milliseconds(50);
  const Status refused = copy_online(host.order, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::busy);
  CHECK_FALSE(host.scratch.exists("copy"));
}

TEST_CASE("a lock that is held for a moment is waited for, from the first look at the file on") {
  const Host host;
  KineDatabase database(host.order.source);
  fill(database, 10);
  database.run("PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE"); // where no reader gets past a writer
  std::thread writer([&database] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    database.run("COMMIT");
  });
  const Status done = copy_online(host.order, {});
  writer.join();
  REQUIRE(done);
  CHECK(host.copied()->total_keys == 10);
}

TEST_CASE("a database with a change that was cut off is no copy, and it is said what to do") {
  const Host host;
  const std::string live = host.scratch.path("live.db");
  KineDatabase database(live);
  fill(database, 200);
  database.run("PRAGMA journal_mode=DELETE; PRAGMA cache_size=5; BEGIN; UPDATE kine SET value = "
               "zeroblob(900)"); // more than the cache: it is on the disk, and not committed
  REQUIRE(host.scratch.exists("live.db-journal"));
  for (const char* const name : {"", "-journal"}) { // as a power cut leaves it
    std::filesystem::copy_file(live + name, host.order.source + name);
  }
  const Status refused = copy_online(host.order, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::io);
  CHECK(refused.error().message.find("state.db-journal") != std::string::npos);
  CHECK(refused.error().hint.find("start k3s once") != std::string::npos);
  CHECK_FALSE(host.scratch.exists("copy"));
}

TEST_CASE("a target that is there is not replaced") {
  const Host host;
  KineDatabase database(host.order.source);
  fill(database, 10);
  host.scratch.write("copy", "somebody's");
  CHECK(copy_online(host.order, {}).error().code == ErrorCode::already_exists);
  CHECK(host.scratch.read("copy") == "somebody's");
}

TEST_CASE("a database that is replaced while it is copied is no copy") {
  const Host host;
  KineDatabase database(host.order.source);
  fill(database, 2000, 4000);
  bool replaced = false;
  const Status refused =
      copy_online(host.order, {}, [&](std::uint64_t /*done*/, std::uint64_t /*total*/) {
        if (!replaced) {
          host.scratch.write("other", "x");
          std::filesystem::rename(host.scratch.path("other"), host.order.source);
        }
        replaced = true;
      });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("replaced") != std::string::npos);
  CHECK_FALSE(host.scratch.exists("copy"));
}

TEST_CASE("a copy that is told to stop leaves nothing") {
  const Host host;
  KineDatabase database(host.order.source);
  fill(database, 2000, 4000);
  std::stop_source stop;
  const Status stopped =
      copy_online(host.order,
                  stop.get_token(),
                  [&](std::uint64_t /*done*/, std::uint64_t /*total*/) { stop.request_stop(); });
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ErrorCode::cancelled);
  CHECK_FALSE(host.scratch.exists("copy"));
}

TEST_CASE("it is told how far the copy is") {
  const Host host;
  KineDatabase database(host.order.source);
  fill(database, 2000, 4000);
  std::uint64_t last = 0;
  std::uint64_t whole = 0;
  REQUIRE(copy_online(host.order, {}, [&](std::uint64_t done, std::uint64_t total) {
    CHECK(done >= last);
    last = done;
    whole = total;
  }));
  CHECK(last == whole);
  CHECK(whole == host.scratch.read("copy").size());
}
