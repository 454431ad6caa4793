#include "recover/object_counts.hpp"

#include "objects/object_list.hpp"
#include "recover/transient.hpp"

#include "etcdsnap/key_names.hpp"

namespace rb::recover {

namespace {

using objects::ServedObject;

/// One by one where some of them don't count.
Result<std::uint64_t>
count_kind(objects::ApiPort& api, const objects::Resource& resource, Sleeper& sleeper) {
  if (!has_transient_objects(resource.prefix)) {
    return objects::count_objects(api, resource.path, sleeper, {});
  }
  std::uint64_t count = 0;
  const auto take = [&](const ServedObject& object) {
    const std::string key = resource.prefix + "/" + object.name_space + "/" + object.name;
    count += is_transient_object(key) ? 0U : 1U;
  };
  RB_TRY(objects::list_objects(api, {resource.path, 0}, sleeper, take, {}));
  return count;
}

} // namespace

ObjectCounts stored_counts(const objects::Contents& contents) {
  ObjectCounts counts;
  for (const auto& [key, object] : contents.objects) {
    if (!is_transient_object(key)) {
      ++counts[etcdsnap::object_kind("/registry/" + key).value_or("")];
    }
  }
  return counts;
}

Result<ServedCounts> served_counts(objects::ApiPort& api,
                                   const std::vector<objects::Resource>& served,
                                   const ObjectCounts& wanted,
                                   Sleeper& sleeper) {
  ServedCounts found;
  for (const objects::Resource& resource : served) {
    if (!wanted.contains(resource.prefix)) {
      continue;
    }
    const auto count = count_kind(api, resource, sleeper);
    if (count) {
      found.counts[resource.prefix] = *count;
    } else if (count.error().http_status != 0) {
      found.refused[resource.prefix] = count.error().message;
    } else {
      return count.error();
    }
  }
  return found;
}

CountComparison compare_counts(const ObjectCounts& expected, const ServedCounts& found) {
  CountComparison comparison;
  for (const auto& [kind, count] : expected) {
    const bool may_differ = is_restless_kind(kind);
    const auto here = found.counts.find(kind);
    if (here == found.counts.end()) {
      const auto why = found.refused.find(kind);
      if (!may_differ || why != found.refused.end()) {
        comparison.differences.push_back(
            kind + ": not counted, " +
            (why == found.refused.end() ? "the API has no such list" : why->second));
      }
      continue;
    }
    if (here->second != count) {
      comparison.differences.push_back(kind + ": " + std::to_string(here->second) +
                                       ", the backup has " + std::to_string(count) +
                                       (may_differ ? " (the server changes these itself)" : ""));
    }
    if (here->second < count && !may_differ) {
      comparison.missing_kinds.push_back(kind);
    }
  }
  return comparison;
}

} // namespace rb::recover
