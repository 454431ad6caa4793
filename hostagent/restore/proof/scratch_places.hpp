// Where scratch directories were made, so that one that a killed drill left is found by whatever
// command comes next, wherever it lies.
#pragma once

#include "base/result.hpp"

#include <string>
#include <vector>

namespace rb::proof {

/// Shared by the agent and railiance-restore of a host. Not in the backup directory, which may be
/// read-only, and is copied elsewhere.
inline constexpr const char* k_scratch_record = "/var/lib/railiance-backup/scratch-places";

class ScratchPlaces {
public:
  /// Keeps no record, and knows no places.
  ScratchPlaces() = default;
  explicit ScratchPlaces(std::string record_path) : m_record(std::move(record_path)) {}

  /// Writes down, durably, that something will lie in `parent`. Before it does. Errors: io,
  /// permission_denied, no_space.
  [[nodiscard]] Status note(const std::string& parent) const;

  /// Those written down, and those that are usual on any host. Lines that are no absolute path are
  /// passed over: the file is only ever a hint where to look.
  [[nodiscard]] std::vector<std::string> all() const;

  /// sweep_scratch_dirs() in each of them. What is in use, and what is not ours, stays.
  void sweep() const;

private:
  [[nodiscard]] std::vector<std::string> recorded() const;

  std::string m_record;
};

} // namespace rb::proof
