// A host with signed sets that an old key opens, a stamp and a guide, on a disk that a test can
// fail; and the rewrap of its sets.
#pragma once

#include "set/catalogue.hpp"
#include "set/restore_guide.hpp"
#include "set/rewrap.hpp"
#include "sign/signing_key.hpp"
#include "support/fault_disk.hpp"

#include "age/identity.hpp"

#include <string>

namespace rb::test {

struct RewrapWorld {
  FaultDisk disk;
  set::Directory directory{disk.mount(), "/backup"};
  sign::SigningKey key = sign::SigningKey::generate().value();
  age::Identity old = age::Identity::generate().value();
  age::Identity fresh = age::Identity::generate().value();

  inline static const set::GuideFacts k_facts{
      "/backup", "/var/lib/rancher/k3s", "/etc/rancher", {}};

  /// A whole set of that day, whose artifacts `old` opens, signed and chained as the agent does it.
  void add(int day);
  void add_unsigned(int day);
  /// Stamp and guide for it, signed.
  void write_kit(int day);
  /// A new process on what is on the disk now.
  void remount() { directory = set::Directory(disk.mount(), "/backup"); }
  /// All files of that day go.
  void forget(int day);

  [[nodiscard]] set::BackupSet listed(int day);
  [[nodiscard]] static set::RewrapOrder order(const age::Identity& to, bool adopt = false);
  /// As the command does it, with both keys at hand.
  Result<set::Rewrapped> rewrap(int day) { return rewrap(day, fresh); }
  Result<set::Rewrapped> rewrap(int day, const age::Identity& to, bool adopt = false);
  /// The same after what the command does before.
  [[nodiscard]] Status sweep_and_rewrap(int day);

  /// Each artifact has the digest of the manifest, and `identity` opens it.
  [[nodiscard]] bool opens_with(int day, const age::Identity& identity);
  /// What the catalogue says of the sets, oldest first: "good good".
  [[nodiscard]] std::string words();
  [[nodiscard]] std::size_t names_of(int day) const;
  [[nodiscard]] std::string text_of(std::string_view name) const;
  [[nodiscard]] bool kit_is_genuine();

private:
  set::Manifest store(int day);
};

} // namespace rb::test
