#include "offsite/latest.hpp"

namespace rb::offsite {

using artifact::BackupSet;
using artifact::SetState;

namespace {

template <typename Wanted>
const BackupSet* newest(const std::vector<BackupSet>& sets, Wanted wanted) {
  for (const BackupSet& set : sets) {
    if (set.state == SetState::complete && wanted(set)) {
      return &set;
    }
  }
  return nullptr;
}

std::string why_not(const BackupSet& set) {
  std::string why = artifact::is_disproven(set) ? "its proof failed" : "it was not proven";
  if (set.manifest && set.manifest->proof && !set.manifest->proof->message.empty()) {
    why += ": " + set.manifest->proof->message;
  }
  return why;
}

} // namespace

Latest choose_latest(const std::vector<BackupSet>& sets) {
  Latest latest;
  latest.set = newest(sets, artifact::is_good);
  if (latest.set == nullptr) {
    latest.set = newest(sets, [](const BackupSet& set) { return !artifact::is_disproven(set); });
  }
  if (latest.set == nullptr) {
    latest.set = newest(sets, [](const BackupSet&) { return true; });
  }
  for (const BackupSet& set : sets) {
    if (&set == latest.set) {
      break;
    }
    if (set.state == SetState::complete) {
      latest.passed_over.push_back({set.run_id, why_not(set)});
    }
  }
  return latest;
}

} // namespace rb::offsite
