#include "offsite/replicate.hpp"

#include "set/names.hpp"
#include "set/writer.hpp"

#include <algorithm>

namespace rb::offsite {

namespace {

bool is_listed(const RemoteFile& wanted, const std::vector<RemoteFile>& there) {
  return std::ranges::any_of(there, [&](const RemoteFile& file) {
    return file.name == wanted.name && file.size_bytes == wanted.size_bytes;
  });
}

Error damaged_here(const set::Directory& directory, const std::string& name) {
  return {ErrorCode::corrupt,
          directory.path() + "/" + name +
              ": damaged on this disk: its SHA-256 is not that of the manifest",
          "run `railiance-restore verify --all`, and look at the disk"};
}

/// What came back is wrong: is it the copy, or was it wrong here already?
Error damaged(set::Directory& directory,
              const RemoteStore& remote,
              const LocalFile& wanted,
              std::stop_token stop) {
  const auto here = measure(directory, wanted.file.name, std::move(stop));
  if (here && here->sha256 != wanted.sha256) {
    return damaged_here(directory, wanted.file.name);
  }
  return {ErrorCode::corrupt,
          remote.name() + ": " + wanted.file.name +
              ": what came back is not what was sent (SHA-256 differs)",
          "it is sent again; if it stays so, look at the storage behind the remote"};
}

/// What must be over there of a set, the manifest last: a set over there that has one is whole.
Result<std::vector<LocalFile>>
wanted_files(set::Directory& directory, const set::BackupSet& set, std::stop_token stop) {
  if (!set.manifest) {
    return Error{ErrorCode::incomplete, "set " + set.run_id + " has no manifest", {}};
  }
  std::vector<LocalFile> files;
  for (const api::ArtifactStatus& artifact : set.manifest->artifacts) {
    files.push_back({{artifact.file_name, artifact.size_bytes}, artifact.sha256});
  }
  // Before the manifest, so that no complete set over there lacks it.
  if (set.signature) {
    RB_TRY_ASSIGN(LocalFile signature, measure(directory, set::signature_name(set.run_id), stop));
    files.push_back(std::move(signature));
  }
  RB_TRY_ASSIGN(LocalFile manifest, measure(directory, set::manifest_name(set.run_id), stop));
  files.push_back(std::move(manifest));
  return files;
}

} // namespace

Result<LocalFile>
measure(set::Directory& directory, const std::string& name, std::stop_token stop) {
  RB_TRY_ASSIGN(const auto file, directory.fs().open_read(name));
  RB_TRY_ASSIGN(const auto content, digest_of(*file, std::move(stop)));
  return LocalFile{{name, content.size_bytes}, to_hex(content.sha256)};
}

Status replicate_file(set::Directory& directory,
                      RemoteStore& remote,
                      const std::vector<RemoteFile>& there,
                      const LocalFile& wanted,
                      std::stop_token stop) {
  if (is_listed(wanted.file, there)) {
    RB_TRY_ASSIGN(const std::string before, remote.sha256(wanted.file, stop));
    if (before == wanted.sha256) {
      return {};
    }
  }
  RB_TRY(remote.put(directory.path() + "/" + wanted.file.name, wanted.file, stop));
  RB_TRY_ASSIGN(const std::string after, remote.sha256(wanted.file, stop));
  if (after != wanted.sha256) {
    return damaged(directory, remote, wanted, stop);
  }
  return {};
}

Status check_here(set::Directory& directory, const set::BackupSet& set, std::stop_token stop) {
  RB_TRY_ASSIGN(const auto files, wanted_files(directory, set, stop));
  for (const LocalFile& wanted : files) {
    RB_TRY_ASSIGN(const LocalFile here, measure(directory, wanted.file.name, stop));
    if (here.sha256 != wanted.sha256) {
      return damaged_here(directory, wanted.file.name);
    }
  }
  return {};
}

Status replicate_set(set::Directory& directory,
                     RemoteStore& remote,
                     const std::vector<RemoteFile>& there,
                     const set::BackupSet& set,
                     std::stop_token stop) {
  RB_TRY_ASSIGN(const auto files, wanted_files(directory, set, stop));
  for (const LocalFile& wanted : files) {
    RB_TRY(replicate_file(directory, remote, there, wanted, stop));
  }
  return {};
}

Status reread_set(set::Directory& directory,
                  RemoteStore& remote,
                  const set::BackupSet& set,
                  std::stop_token stop) {
  RB_TRY_ASSIGN(const auto files, wanted_files(directory, set, stop));
  for (const LocalFile& wanted : files) {
    RB_TRY_ASSIGN(const std::string digest, remote.sha256(wanted.file, stop));
    if (digest != wanted.sha256) {
      return Error{ErrorCode::corrupt,
                   remote.name() + ": " + wanted.file.name +
                       ": damaged since it was copied there (SHA-256 differs)",
                   "it is sent again; if it happens again, look at the storage behind the remote"};
    }
  }
  return {};
}

} // namespace rb::offsite
