#include "helm/payload.hpp"

#include "archive/entry_path.hpp"
#include "archive/tar_gz.hpp"
#include "helm/index_json.hpp"
#include "helm/names.hpp"

#include <algorithm>
#include <exception>
#include <set>
#include <tuple>
#include <utility>

namespace rb::helm {

namespace {

auto identity(const Release& release) {
  return std::tie(release.key.name_space, release.key.name, release.kind);
}

api::UndecodableRelease refused(const Release& release, std::string message) {
  return {archive::printable(release.key.name_space), release.storage_object, std::move(message)};
}

/// Leaves only releases that can have a file each, sorted; the others join `undecodable`.
std::vector<Release> separate(std::vector<Release> releases,
                              std::vector<api::UndecodableRelease>& undecodable) {
  std::stable_sort(releases.begin(), releases.end(), [](const Release& a, const Release& b) {
    return identity(a) < identity(b);
  });
  std::vector<Release> kept;
  kept.reserve(releases.size());
  for (Release& release : releases) {
    if (!is_safe_namespace(release.key.name_space) || !is_safe_release_name(release.key.name)) {
      undecodable.push_back(
          refused(release, "unsafe name: '" + archive::printable(release.key.name) + "'"));
    } else if (!kept.empty() && identity(kept.back()) == identity(release)) {
      undecodable.push_back(refused(release, "given twice: '" + release.key.name + "'"));
    } else {
      kept.push_back(std::move(release));
    }
  }
  return kept;
}

/// Helm's names have no '@', so the two storages never meet.
std::string file_name(const Release& release, bool also_in_secret) {
  const bool marked = release.kind == StorageKind::config_map && also_in_secret;
  return release.key.name_space + "/" + release.key.name + (marked ? "@configmap.yaml" : ".yaml");
}

std::vector<IndexedRelease> name_files(const std::vector<Release>& releases) {
  std::vector<IndexedRelease> files;
  files.reserve(releases.size());
  for (std::size_t i = 0; i < releases.size(); ++i) {
    // Sorted: a Secret stands right before the ConfigMap of the same release.
    const bool also_in_secret = i > 0 && releases[i - 1].key.name == releases[i].key.name &&
                                releases[i - 1].key.name_space == releases[i].key.name_space;
    files.push_back({&releases[i], file_name(releases[i], also_in_secret)});
  }
  return files;
}

api::HelmStatus summarize(std::size_t releases, std::vector<api::UndecodableRelease> undecodable) {
  api::HelmStatus status;
  status.releases = static_cast<std::int64_t>(releases);
  status.undecodable_total = static_cast<std::int64_t>(undecodable.size());
  undecodable.resize(std::min(undecodable.size(), api::k_undecodable_limit));
  status.undecodable = std::move(undecodable);
  return status;
}

Result<Payload> assemble(std::vector<Release> given,
                         std::vector<api::UndecodableRelease> undecodable,
                         SystemTime collected_at) {
  std::vector<Release> releases = separate(std::move(given), undecodable);
  const std::vector<IndexedRelease> files = name_files(releases);
  std::vector<archive::Entry> entries;
  entries.reserve(files.size() + 1);
  entries.push_back({.path = "index.json",
                     .content = SecretBytes(as_bytes(index_json(files, undecodable, collected_at))),
                     .mtime = collected_at});
  for (std::size_t i = 0; i < files.size(); ++i) {
    entries.push_back({.path = files[i].file,
                       .content = std::move(releases[i].values_yaml),
                       .mtime = collected_at});
  }
  auto tar_gz = archive::write_tar_gz(entries);
  if (!tar_gz) {
    return std::move(tar_gz).error().within("helm values");
  }
  return Payload{std::move(tar_gz).value(), summarize(releases.size(), std::move(undecodable))};
}

} // namespace

Result<Payload> build_payload(std::vector<Release> releases,
                              std::vector<api::UndecodableRelease> undecodable,
                              SystemTime collected_at) {
  try {
    return assemble(std::move(releases), std::move(undecodable), collected_at);
  } catch (const std::exception& exception) { // nlohmann::json
    return Error{ErrorCode::internal, std::string("helm values: ") + exception.what(), {}};
  }
}

} // namespace rb::helm
