#include "set/unpack.hpp"

#include "set/tree_writer.hpp"

namespace rb::set {

using api::ArtifactType;
using archive::Entry;

namespace {

constexpr const char* k_kubeconfig_name = "kubeconfig.yaml";

Result<std::vector<Entry>>
entries_of(ArtifactType type, SecretBytes plain, const set::Manifest& manifest) {
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

/// What cannot be told of the files is no reason to keep them from the operator.
helm::Contents contents_of(const std::vector<Entry>& entries) {
  auto contents = helm::check_contents(entries);
  return contents ? std::move(contents).value()
                  : helm::Contents{{}, {contents.error().message + ": the files are as they were"}};
}

} // namespace

Result<Unpacked> unpack(set::Directory& directory,
                        const set::Manifest& manifest,
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
    unpacked.helm = contents_of(entries);
  }
  RB_TRY(write_tree(request.to, entries, request.replace));
  for (const Entry& entry : entries) {
    unpacked.files.push_back({entry.path, entry.content.size(), entry.mode});
  }
  return unpacked;
}

} // namespace rb::set
