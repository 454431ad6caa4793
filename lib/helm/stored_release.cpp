#include "helm/stored_release.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

namespace rb::helm {

namespace {

constexpr std::string_view k_object_prefix = "sh.helm.release.v1."; // Helm 3 and 4, pkg/storage

std::optional<std::int64_t> parse_revision(std::string_view text) {
  const auto value = whole_number<std::int64_t>(text);
  return value && *value >= 1 ? value : std::nullopt;
}

struct ObjectNameParts {
  std::string_view name;
  std::optional<std::int64_t> revision;
};

/// "sh.helm.release.v1.my.app.v3" -> "my.app", 3. A release's name may itself end in ".v2".
ObjectNameParts split_object_name(std::string_view object_name) {
  if (!object_name.starts_with(k_object_prefix)) {
    return {};
  }
  const std::string_view rest = object_name.substr(k_object_prefix.size());
  const std::size_t at = rest.rfind(".v");
  if (at == std::string_view::npos) {
    return {};
  }
  return {rest.substr(0, at), parse_revision(rest.substr(at + 2))};
}

std::string_view label(const StoredRelease& stored, const char* key) {
  const auto found = stored.labels.find(key);
  return found == stored.labels.end() ? std::string_view{} : std::string_view(found->second);
}

/// An object of a release, as far as it is decided which one is read.
struct Candidate {
  std::int64_t revision;
  bool named_by_helm; ///< A copy that somebody made has the labels, and another name.
  StoredRelease object;
};

Candidate candidate(const ReleaseKey& key, StoredRelease object) {
  const ObjectNameParts parts = split_object_name(object.object_name);
  const bool named_by_helm = parts.name == key.name && parts.revision == key.revision;
  return {key.revision, named_by_helm, std::move(object)};
}

bool is_better(const Candidate& one, const Candidate& other) {
  if (one.revision != other.revision) {
    return one.revision > other.revision;
  }
  return one.named_by_helm != other.named_by_helm
             ? one.named_by_helm
             : one.object.object_name < other.object.object_name;
}

} // namespace

std::string_view to_string(StorageKind kind) {
  switch (kind) {
  case StorageKind::secret:
    return "secret";
  case StorageKind::config_map:
    return "configmap";
  }
  return "";
}

std::string StoredRelease::storage_object() const {
  return std::string(to_string(kind)) + "/" + object_name;
}

Result<ReleaseKey> release_key(const StoredRelease& stored) {
  const ObjectNameParts parts = split_object_name(stored.object_name);
  std::string_view name = label(stored, "name");
  if (name.empty()) {
    name = parts.name;
  }
  std::optional<std::int64_t> revision = parse_revision(label(stored, "version"));
  if (!revision) {
    revision = parts.revision;
  }
  if (name.empty() || !revision) {
    return Error{ErrorCode::incomplete,
                 "missing field: neither labels nor object name tell the release and its revision",
                 "look at the labels name and version of this object"};
  }
  return ReleaseKey{stored.name_space, std::string(name), *revision};
}

std::vector<StoredRelease> newest_revisions(std::vector<StoredRelease> stored) {
  using Identity = std::tuple<std::string, std::string, StorageKind>;
  std::vector<StoredRelease> newest;
  std::vector<StoredRelease> untold;
  std::map<Identity, Candidate> best;
  for (StoredRelease& object : stored) {
    const Result<ReleaseKey> key = release_key(object);
    if (!key) {
      untold.push_back(std::move(object));
      continue;
    }
    const Identity identity{key->name_space, key->name, object.kind};
    Candidate next = candidate(*key, std::move(object));
    const auto found = best.find(identity);
    if (found == best.end()) {
      best.emplace(identity, std::move(next));
    } else if (is_better(next, found->second)) {
      found->second = std::move(next);
    }
  }
  for (auto& [identity, chosen] : best) {
    newest.push_back(std::move(chosen.object));
  }
  std::move(untold.begin(), untold.end(), std::back_inserter(newest));
  return newest;
}

} // namespace rb::helm
