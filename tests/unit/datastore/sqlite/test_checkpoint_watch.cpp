#include "datastore/sqlite/online_copy.hpp"
#include "support/scratch.hpp"

#include "base/fd.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <vector>

using namespace rb;
using namespace std::chrono_literals;
using sqlite::CheckpointWatch;

namespace {

// https://sqlite.org/walformat.html, 2.3: bytes of the index of the log.
constexpr long k_write_lock = 120;
constexpr long k_checkpoint_lock = 121;

bool lock(int file, long byte) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return ::fcntl(file, F_SETLK, &lock) == 0;
}

/// By another process.
bool is_free(const std::string& index, long byte) {
  const pid_t child = ::fork();
  if (child == 0) {
    const Fd file(::open(index.c_str(), O_RDWR | O_CLOEXEC));
    ::_exit(lock(file.get(), byte) ? 0 : 1);
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// A process that has these bytes locked until it goes; locks of one's own are not seen.
class Holder {
public:
  Holder(const std::string& index, const std::vector<long>& bytes) {
    std::array<int, 2> locked{};
    REQUIRE(::pipe2(locked.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(m_stay.data(), O_CLOEXEC) == 0);
    m_pid = ::fork();
    if (m_pid == 0) {
      ::close(m_stay[1]);
      char word = take(index, bytes) ? 'y' : 'n';
      const bool told = ::write(locked[1], &word, 1) == 1;
      static_cast<void>(told && ::read(m_stay[0], &word, 1) == 0);
      ::_exit(0);
    }
    char taken = 'n';
    REQUIRE(::read(locked[0], &taken, 1) == 1);
    CHECK(taken == 'y');
    ::close(locked[0]);
    ::close(locked[1]);
    ::close(m_stay[0]);
  }
  ~Holder() {
    ::close(m_stay[1]);
    static_cast<void>(::waitpid(m_pid, nullptr, 0));
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  Holder(Holder&&) = delete;
  Holder& operator=(Holder&&) = delete;

private:
  static bool take(const std::string& index, const std::vector<long>& bytes) {
    static Fd file(::open(index.c_str(), O_RDWR | O_CLOEXEC));
    bool all = file.valid();
    for (const long byte : bytes) {
      all = all && lock(file.get(), byte);
    }
    return all;
  }

  std::array<int, 2> m_stay{};
  pid_t m_pid = -1;
};

struct Database {
  test::Scratch scratch;
  std::string path = scratch.path("state.db");
  std::string index = scratch.path("state.db-shm");

  Database() { scratch.write("state.db-shm", std::string(136, '\0')); }
};

} // namespace

TEST_CASE("a checkpoint that holds up the writers for as long as the patience is waiting") {
  const Database database;
  CheckpointWatch at_once(database.path, 0ms);
  CheckpointWatch patient(database.path, 1h);
  CHECK_FALSE(at_once.is_waiting());
  {
    const Holder checkpoint(database.index, {k_write_lock, k_checkpoint_lock});
    CHECK(at_once.is_waiting());
    CHECK_FALSE(patient.is_waiting());
  }
  CHECK_FALSE(at_once.is_waiting());
}

TEST_CASE("a writer alone, and a checkpoint that lets others write, wait for nobody") {
  const Database database;
  CheckpointWatch watch(database.path, 0ms);
  {
    const Holder writer(database.index, {k_write_lock});
    CHECK_FALSE(watch.is_waiting());
  }
  const Holder passive(database.index, {k_checkpoint_lock});
  CHECK_FALSE(watch.is_waiting());
}

TEST_CASE("a database without a log has nothing that waits") {
  const test::Scratch scratch;
  CHECK_FALSE(CheckpointWatch(scratch.path("state.db"), 0ms).is_waiting());
}

TEST_CASE("what else this process has locked stays locked when a watch has gone") {
  constexpr long k_open_lock = 128; // of each connection; the first one of all empties the index
  const Database database;
  const Fd connection(::open(database.index.c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(lock(connection.get(), k_open_lock));
  CHECK_FALSE(CheckpointWatch(database.path, 0ms).is_waiting());
  CHECK_FALSE(CheckpointWatch(database.path, 0ms).is_waiting());
  CHECK_FALSE(is_free(database.index, k_open_lock));
}
