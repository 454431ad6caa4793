#include "agent/run_state.hpp"

#include <algorithm>

namespace rb::agent {

void RunState::note(std::string_view type,
                    api::ConditionStatus value,
                    api::Reason reason,
                    const std::string& message) {
  set_step(status, type, value, reason, message, ports.clock.now());
  ports.observer.on_status(status);
}

void RunState::enter(std::string_view step, std::uint64_t done, std::uint64_t total) {
  ports.observer.on_progress({std::string(step), done, total});
}

StepFailure RunState::stopped(std::string_view step) const {
  return stop_failure(control.cause(), step);
}

void RunState::add_missing(api::ArtifactType type, const Failure& failure) {
  const bool known =
      std::any_of(manifest.missing.begin(),
                  manifest.missing.end(),
                  [type](const api::MissingArtifact& entry) { return entry.type == type; });
  if (!known) {
    manifest.missing.push_back({type, failure.reason, failure.text().substr(0, 1000)});
    status.missing = manifest.missing;
  }
}

void RunState::add_stored(api::ArtifactType type, const set::StoredFile& file) {
  manifest.artifacts.push_back({type, file.name, file.size_bytes, to_hex(file.sha256)});
  status.artifacts = manifest.artifacts;
  ports.observer.on_status(status);
}

} // namespace rb::agent
