// A disk in memory that forgets what was not synced, and fails or dies at the call that a test
// chooses. The idea is LevelDB's fault injection test. The rules are those of POSIX, which are
// harder than those of any one file system: of the changes of the directory since its last sync
// any subset survives; of what a file holds beyond its last fsync some beginning survives.
#pragma once

#include "base/fs.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace rb::test {

enum class Fault {
  none,
  no_space_once, ///< The chosen call fails with ENOSPC.
  io_error_once, ///< The chosen call fails with EIO.
  no_space_from, ///< The chosen call and all writing ones after it fail with ENOSPC.
  dies_before,   ///< The process ends just before the chosen call.
  dies_after,    ///< The process ends just after it.
};

class FaultDisk {
public:
  /// An Fs on this disk, which must outlive it. "Mounting" again is a new process.
  [[nodiscard]] std::unique_ptr<Fs> mount();

  /// The call with this number (from 0, counted from now) meets the fault.
  void arrange(Fault fault, std::size_t call);

  /// Calls since arrange().
  [[nodiscard]] std::size_t calls() const { return m_calls; }
  [[nodiscard]] bool died() const { return m_dead; }

  /// The power fails and comes back: what was not synced is lost, wholly or in part.
  void power_cut(std::mt19937& random);

  /// A copy of what is there now, with everything in it synced.
  [[nodiscard]] FaultDisk copy() const;

  [[nodiscard]] std::map<std::string, Bytes> contents() const;
  void put(const std::string& name, Bytes content);

private:
  friend class FaultFs;
  friend class FaultFile;

  struct Inode {
    Bytes content;
    Bytes synced;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  /// Counts a call; the error that it must fail with, if any.
  [[nodiscard]] Status begin_call(bool writes);
  void end_call();

  /// A change of the directory: `gone` is no name any more, `name` is that of `inode`.
  struct Change {
    std::string gone;
    std::string name;
    std::shared_ptr<Inode> inode;
  };
  static void apply(const Change& change, Names& names);
  void make(Change change);

  Names m_names;
  Names m_synced_names;
  std::vector<Change> m_changes; ///< Since the last sync of the directory.
  Fault m_fault = Fault::none;
  std::size_t m_faulty_call = 0;
  std::size_t m_calls = 0;
  bool m_dead = false;
};

} // namespace rb::test
