#include "unpack/unpack.hpp"

#include "unpack/tree_writer.hpp"

#include <algorithm>

namespace rb::unpack {

using api::ArtifactType;
using archive::Entry;

namespace {

constexpr const char* k_kubeconfig_name = "kubeconfig.yaml";

Result<std::vector<Entry>>
entries_of(ArtifactType type, SecretBytes plain, const artifact::Manifest& manifest) {
  if (type == ArtifactType::kubeconfig) {
    std::vector<Entry> entries(1);
    entries.front().path = k_kubeconfig_name;
    entries.front().content = std::move(plain);
    entries.front().mtime = manifest.completion_time;
    return entries;
  }
  auto entries = archive::read_tar_gz(plain.view());
  if (!entries) {
    Error error = std::move(entries).error();
    // A path that leads out of the archive is damage done on purpose.
    error.code = error.code == ErrorCode::invalid_argument ? ErrorCode::corrupt : error.code;
    error.hint = "nothing was written";
    return std::move(error).within(api::file_name(type, manifest.run_id));
  }
  return entries;
}

/// Every release with its values, which lie in the archive.
Result<HelmIndex> index_of(const std::vector<Entry>& entries) {
  const auto listed = std::find_if(entries.begin(), entries.end(), [](const Entry& entry) {
    return entry.path == k_helm_index_name;
  });
  if (listed == entries.end()) {
    return Error{ErrorCode::corrupt, "helm values: there is no index.json in it", {}};
  }
  RB_TRY_ASSIGN(HelmIndex index, parse_helm_index(listed->content.text()));
  for (const HelmRelease& release : index.releases) {
    if (std::none_of(entries.begin(), entries.end(), [&](const Entry& entry) {
          return entry.path == release.file;
        })) {
      return Error{
          ErrorCode::corrupt, "helm values: index.json names a file that is not there", {}};
    }
  }
  return index;
}

} // namespace

Result<Unpacked> unpack(artifact::Directory& directory,
                        const artifact::Manifest& manifest,
                        std::span<const age::Identity> identities,
                        const UnpackRequest& request,
                        const std::stop_token& stop) {
  if (request.type == ArtifactType::etcd_snapshot) {
    return Error{ErrorCode::invalid_argument,
                 "an etcd snapshot is not unpacked",
                 "`railiance-restore decrypt` makes a file of it"};
  }
  RB_TRY_ASSIGN(SecretBytes plain,
                open_artifact(directory, manifest, request.type, identities, stop));
  RB_TRY_ASSIGN(const std::vector<Entry> entries,
                entries_of(request.type, std::move(plain), manifest));
  Unpacked unpacked;
  if (request.type == ArtifactType::helm_values) {
    RB_TRY_ASSIGN(unpacked.helm, index_of(entries));
  }
  RB_TRY(write_tree(request.to, entries, request.replace));
  for (const Entry& entry : entries) {
    unpacked.files.push_back({entry.path, entry.content.size(), entry.mode});
  }
  return unpacked;
}

} // namespace rb::unpack
