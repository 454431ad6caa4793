#include "offsite/copy_set.hpp"

#include "set/names.hpp"
#include "set/signed_files.hpp"

#include "base/durable_file.hpp"

#include <algorithm>

namespace rb::offsite {

using set::Directory;

namespace {

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
    RB_TRY_ASSIGN(LocalFile signature,
                  measure(directory, set::signature_name(set.run_id, set.generation), stop));
    files.push_back(std::move(signature));
  }
  RB_TRY_ASSIGN(LocalFile manifest,
                measure(directory, set::manifest_name(set.run_id, set.generation), stop));
  files.push_back(std::move(manifest));
  return files;
}

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

Result<ContentDigest> expected_of(const LocalFile& wanted) {
  ContentDigest expected{wanted.file.size_bytes, {}};
  RB_TRY_ASSIGN(const Bytes digest, from_hex(wanted.sha256));
  if (digest.size() != expected.sha256.size()) {
    return Error{ErrorCode::corrupt, wanted.file.name + ": not a SHA-256 in the manifest", {}};
  }
  std::ranges::copy(digest, expected.sha256.begin());
  return expected;
}

Status fetch_part(Directory& to,
                  RemoteStore& remote,
                  const LocalFile& wanted,
                  const std::string& part,
                  std::stop_token stop) {
  const std::string path = to.path() + "/" + part;
  RB_TRY(remote.get(wanted.file, path, stop));
  RB_TRY_ASSIGN(const ContentDigest content, expected_of(wanted));
  const auto damaged = [&](const char* what) {
    return Error{ErrorCode::corrupt,
                 remote.name() + ": " + wanted.file.name +
                     ": damaged: it is not what the manifest says (" + what + " differs)",
                 "choose another set: railiance-restore list --remote"};
  };
  {
    RB_TRY_ASSIGN(const auto came, to.fs().open_read(part));
    RB_TRY_ASSIGN(const std::uint64_t size_bytes, came->size());
    if (size_bytes != content.size_bytes) {
      return damaged("size");
    }
  }
  DurableOrder order;
  order.name = wanted.file.name;
  order.part = part;
  RB_TRY_ASSIGN(DurableFile file, DurableFile::adopt(to.fs(), std::move(order), content));
  const auto committed = file.commit(std::move(stop));
  if (!committed && committed.error().code == ErrorCode::corrupt) {
    return damaged("SHA-256");
  }
  return committed ? Status() : Status(committed.error());
}

/// Adds the file to `result`. True: it is there already. Errors: those of is_present.
Result<bool>
is_done(Directory& to, const LocalFile& wanted, Fetched& result, const std::stop_token& stop) {
  RB_TRY_ASSIGN(const bool present, is_present(to, wanted, stop));
  result.files.push_back(wanted.file.name);
  if (present) {
    result.present.push_back(wanted.file.name);
  }
  return present;
}

Status fetch_file(Directory& to,
                  RemoteStore& remote,
                  const LocalFile& wanted,
                  Fetched& result,
                  std::stop_token stop) {
  RB_TRY_ASSIGN(const bool done, is_done(to, wanted, result, stop));
  if (done) {
    return {};
  }
  const std::string part = wanted.file.name + std::string(set::k_part_suffix);
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
  RB_TRY_ASSIGN(const std::string text, set::read_text(listing, name, set::k_manifest_limit_bytes));
  const LocalFile wanted{{name, text.size()}, to_hex(rb::sha256(as_bytes(text)))};
  RB_TRY_ASSIGN(const bool done, is_done(to, wanted, result, stop));
  if (done) {
    return {};
  }
  RB_TRY_ASSIGN(auto writer, set::ArtifactWriter::create(to, name));
  RB_TRY(writer.write(as_bytes(text)));
  RB_TRY(writer.commit(std::move(stop)));
  return {};
}

/// Only where there is none: the one that is there may be the operator's own.
Status bring_public_key(Directory& to, Directory& listing, const std::string& name) {
  const auto text = set::read_text(listing, name, set::k_manifest_limit_bytes);
  const auto there = to.fs().open_read(name);
  if (!text || there || there.error().code != ErrorCode::not_found) {
    return {};
  }
  return set::replace_file(to, name, as_bytes(*text));
}

/// Under a bound, and never in the place of what is there.
Status bring_file(Directory& to,
                  RemoteStore& remote,
                  const RemoteFile& wanted,
                  const std::stop_token& stop) {
  RB_TRY(set::check_free_space(to, wanted.size_bytes));
  DurableOrder order;
  order.name = wanted.name;
  order.part = wanted.name + std::string(set::k_part_suffix);
  static_cast<void>(to.fs().remove(order.part)); // of a fetch that was cut off
  const auto bring = [&]() -> Status {
    RB_TRY(remote.get(wanted, to.path() + "/" + order.part, stop));
    RB_TRY_ASSIGN(const auto part, to.fs().open_uncached(order.part));
    RB_TRY_ASSIGN(const ContentDigest content, digest_of(*part, stop));
    RB_TRY_ASSIGN(DurableFile file, DurableFile::adopt(to.fs(), order, content));
    const auto committed = file.commit(stop);
    return committed ? Status() : Status(committed.error());
  };
  Status brought = bring();
  if (!brought) {
    static_cast<void>(to.fs().remove(order.part));
  }
  return brought;
}

/// The signature first: an image without one looks as if it had been taken away.
Status bring_image(Directory& to,
                   RemoteStore& remote,
                   const std::function<void(const std::string&)>& on_file,
                   const std::stop_token& stop) {
  const std::string image(set::k_image_name);
  if (to.fs().open_read(image)) {
    return {};
  }
  RB_TRY_ASSIGN(const auto there, remote.list(stop));
  for (const std::string& name : {image + std::string(set::k_signature_suffix), image}) {
    const auto found = std::ranges::find(there, name, &RemoteFile::name);
    if (found == there.end()) {
      return {}; // of an older release
    }
    if (found->size_bytes > set::k_signed_file_limit_bytes) {
      return Error{ErrorCode::unsupported, name + ": too large to be of the host", {}};
    }
    on_file(name);
    RB_TRY(bring_file(to, remote, *found, stop));
  }
  return {};
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

Result<Fetched> fetch_set(Directory& to,
                          RemoteStore& remote,
                          Directory& listing,
                          const set::BackupSet& set,
                          const std::function<void(const std::string&)>& on_file,
                          std::stop_token stop) {
  if (!set.manifest) {
    return Error{ErrorCode::incomplete,
                 remote.name() + ": set " + set.run_id + " has no manifest that can be read",
                 "choose another set: railiance-restore list --remote"};
  }
  RB_TRY(set::check_free_space(to, set.size_bytes));
  Fetched result;
  for (const api::ArtifactStatus& artifact : set.manifest->artifacts) {
    on_file(artifact.file_name);
    const LocalFile wanted{{artifact.file_name, artifact.size_bytes}, artifact.sha256};
    RB_TRY(fetch_file(to, remote, wanted, result, stop));
  }
  if (set.signature) {
    const std::string signature = set::signature_name(set.run_id, set.generation);
    on_file(signature);
    RB_TRY(store_small(to, listing, signature, result, stop));
  }
  RB_TRY(bring_public_key(to, listing, std::string(set::k_public_key_name)));
  // Signed before the host got another key.
  const std::string old_key = set::old_public_key_name(set.manifest->signed_by);
  if (set::old_public_key_id(old_key)) {
    RB_TRY(bring_public_key(to, listing, old_key));
  }
  const std::string manifest = set::manifest_name(set.run_id, set.generation);
  on_file(manifest);
  RB_TRY(store_small(to, listing, manifest, result, stop));
  RB_TRY(to.fs().sync_directory());
  if (Status brought = bring_image(to, remote, on_file, stop); !brought) {
    if (brought.error().code == ErrorCode::cancelled) {
      return std::move(brought).error();
    }
    result.no_image = std::move(brought).error();
  }
  return result;
}

} // namespace rb::offsite
