#include "kube/lease.hpp"

#include <nlohmann/json.hpp>

namespace rb::kube {

namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int int_of(const json& object, const char* key) {
  const auto found = object.find(key);
  const bool fits =
      found != object.end() && found->is_number_integer() && *found >= 0 && *found <= 1'000'000'000;
  return fits ? found->get<int>() : 0;
}

} // namespace

LeaseAction decide_lease(const std::optional<ObservedLease>& observed,
                         const std::string& identity,
                         std::chrono::steady_clock::time_point now) {
  if (!observed) {
    return LeaseAction::create;
  }
  const LeaseRecord& record = observed->record;
  if (record.holder == identity) {
    return LeaseAction::renew;
  }
  if (record.holder.empty() || now >= observed->changed_at + record.duration) {
    return LeaseAction::take;
  }
  return LeaseAction::wait;
}

ObservedLease observe_lease(const std::optional<ObservedLease>& before,
                            LeaseRecord seen,
                            std::chrono::steady_clock::time_point now) {
  const bool same = before && before->record == seen;
  return {std::move(seen), same ? before->changed_at : now};
}

Result<LeaseRecord> lease_from_json(const json& object) {
  const auto metadata = object.is_object() ? object.find("metadata") : object.end();
  if (!object.is_object() || metadata == object.end() || !metadata->is_object() ||
      text_of(*metadata, "resourceVersion").empty()) {
    return Error{ErrorCode::corrupt, "the lease has no metadata.resourceVersion", {}};
  }
  LeaseRecord record;
  record.resource_version = text_of(*metadata, "resourceVersion");
  const auto spec = object.find("spec");
  if (spec != object.end() && spec->is_object()) {
    record.holder = text_of(*spec, "holderIdentity");
    record.duration = std::chrono::seconds(int_of(*spec, "leaseDurationSeconds"));
    record.acquire_time = text_of(*spec, "acquireTime");
    record.renew_time = text_of(*spec, "renewTime");
    record.transitions = int_of(*spec, "leaseTransitions");
  }
  return record;
}

json lease_to_json(const LeaseRecord& record,
                   const std::string& name_space,
                   const std::string& name) {
  json metadata{{"name", name}, {"namespace", name_space}};
  if (!record.resource_version.empty()) {
    metadata["resourceVersion"] = record.resource_version;
  }
  json spec{{"holderIdentity", record.holder},
            {"leaseDurationSeconds", record.duration.count()},
            {"leaseTransitions", record.transitions}};
  if (!record.acquire_time.empty()) {
    spec["acquireTime"] = record.acquire_time;
  }
  if (!record.renew_time.empty()) {
    spec["renewTime"] = record.renew_time;
  }
  return {{"apiVersion", "coordination.k8s.io/v1"},
          {"kind", "Lease"},
          {"metadata", std::move(metadata)},
          {"spec", std::move(spec)}};
}

} // namespace rb::kube
