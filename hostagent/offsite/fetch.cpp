#include "offsite/fetch.hpp"

#include "offsite/replicate.hpp"

#include "artifact/names.hpp"
#include "artifact/writer.hpp"
#include "base/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace rb::offsite {

namespace {

using artifact::Directory;
constexpr mode_t k_file_mode = 0600;

/// True: there already, and right. Errors: already_exists (something else is there).
Result<bool> is_present(Directory& to, const LocalFile& wanted, std::stop_token stop) {
  const auto here = measure(to, wanted.file.name, std::move(stop));
  if (!here && here.error().code == ErrorCode::not_found) {
    return false;
  }
  if (!here) {
    return here.error();
  }
  if (here->sha256 != wanted.sha256) {
    return Error{ErrorCode::already_exists,
                 to.path() + "/" + wanted.file.name +
                     ": is there already, and is not what the remote's manifest says",
                 "fetch into another directory: --to DIR"};
  }
  return true;
}

Status fetch_part(Directory& to,
                  RemoteStore& remote,
                  const LocalFile& wanted,
                  const std::string& part,
                  std::stop_token stop) {
  const std::string path = to.path() + "/" + part;
  RB_TRY(remote.get(wanted.file, path, stop));
  // rclone gives files the mode of the umask; the directory is closed to others anyway.
  if (::chmod(path.c_str(), k_file_mode) != 0) {
    return system_error(errno, path + ": chmod");
  }
  {
    RB_TRY_ASSIGN(const Fd fd, open_file(path, O_RDONLY | O_NOFOLLOW));
    RB_TRY(sync_file(fd, path));
  }
  RB_TRY_ASSIGN(const auto file, to.fs().open_uncached(part));
  RB_TRY_ASSIGN(const auto content, artifact::digest_of(*file, std::move(stop)));
  if (content.size_bytes != wanted.file.size_bytes || to_hex(content.sha256) != wanted.sha256) {
    return Error{
        ErrorCode::corrupt,
        remote.name() + ": " + wanted.file.name + ": damaged: it is not what the manifest says (" +
            (content.size_bytes == wanted.file.size_bytes ? "SHA-256" : "size") + " differs)",
        "choose another set: railiance-restore list --remote"};
  }
  return to.fs().rename_new(part, wanted.file.name);
}

/// Adds the file to `result`.
Status fetch_file(Directory& to,
                  RemoteStore& remote,
                  const LocalFile& wanted,
                  Fetched& result,
                  std::stop_token stop) {
  RB_TRY_ASSIGN(const bool present, is_present(to, wanted, stop));
  result.files.push_back(wanted.file.name);
  if (present) {
    result.present.push_back(wanted.file.name);
    return {};
  }
  const std::string part = wanted.file.name + std::string(artifact::k_part_suffix);
  static_cast<void>(to.fs().remove(part)); // of a fetch that was cut off
  Status fetched = fetch_part(to, remote, wanted, part, std::move(stop));
  if (!fetched) {
    static_cast<void>(to.fs().remove(part));
  }
  return fetched;
}

/// A small file of the catalogue, its bytes as they are over there.
Status store_small(Directory& to,
                   Directory& listing,
                   const std::string& name,
                   Fetched& result,
                   std::stop_token stop) {
  RB_TRY_ASSIGN(const auto source, listing.fs().open_read(name));
  Bytes text(artifact::k_manifest_limit_bytes);
  RB_TRY_ASSIGN(const std::size_t got, source->read(text));
  text.resize(got);
  const LocalFile wanted{{name, got}, to_hex(rb::sha256(text))};
  RB_TRY_ASSIGN(const bool present, is_present(to, wanted, stop));
  result.files.push_back(name);
  if (present) {
    result.present.push_back(name);
    return {};
  }
  RB_TRY_ASSIGN(auto writer, artifact::ArtifactWriter::create(to, name));
  RB_TRY(writer.write(text));
  RB_TRY(writer.commit(std::move(stop)));
  return {};
}

/// Only where there is none: the one that is there may be the operator's own.
Status bring_public_key(Directory& to, Directory& listing) {
  const std::string name(artifact::k_public_key_name);
  const auto source = listing.fs().open_read(name);
  const auto there = to.fs().open_read(name);
  if (!source || there || there.error().code != ErrorCode::not_found) {
    return {};
  }
  Bytes text(artifact::k_manifest_limit_bytes);
  RB_TRY_ASSIGN(const std::size_t got, (*source)->read(text));
  return artifact::replace_file(to, name, ByteView(text).first(got));
}

} // namespace

Result<Fetched> fetch_set(Directory& to,
                          RemoteStore& remote,
                          Directory& listing,
                          const artifact::BackupSet& set,
                          const std::function<void(const std::string&)>& on_file,
                          std::stop_token stop) {
  if (!set.manifest) {
    return Error{ErrorCode::incomplete,
                 remote.name() + ": set " + set.run_id + " has no manifest that can be read",
                 "choose another set: railiance-restore list --remote"};
  }
  RB_TRY(artifact::check_free_space(to, set.size_bytes));
  Fetched result;
  for (const api::ArtifactStatus& artifact : set.manifest->artifacts) {
    on_file(artifact.file_name);
    const LocalFile wanted{{artifact.file_name, artifact.size_bytes}, artifact.sha256};
    RB_TRY(fetch_file(to, remote, wanted, result, stop));
  }
  if (set.signature) {
    on_file(artifact::signature_name(set.run_id));
    RB_TRY(store_small(to, listing, artifact::signature_name(set.run_id), result, stop));
  }
  RB_TRY(bring_public_key(to, listing));
  on_file(artifact::manifest_name(set.run_id));
  RB_TRY(store_small(to, listing, artifact::manifest_name(set.run_id), result, stop));
  RB_TRY(to.fs().sync_directory());
  return result;
}

} // namespace rb::offsite
