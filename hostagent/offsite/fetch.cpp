#include "offsite/fetch.hpp"

#include "offsite/replicate.hpp"
#include "set/names.hpp"
#include "set/signed_files.hpp"
#include "set/writer.hpp"

#include "base/durable_file.hpp"

#include <algorithm>

namespace rb::offsite {

namespace {

using set::Directory;

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
  RB_TRY_ASSIGN(const auto source, listing.fs().open_read(name));
  Bytes text(set::k_manifest_limit_bytes);
  RB_TRY_ASSIGN(const std::size_t got, source->read(text));
  text.resize(got);
  const LocalFile wanted{{name, got}, to_hex(rb::sha256(text))};
  RB_TRY_ASSIGN(const bool present, is_present(to, wanted, stop));
  result.files.push_back(name);
  if (present) {
    result.present.push_back(name);
    return {};
  }
  RB_TRY_ASSIGN(auto writer, set::ArtifactWriter::create(to, name));
  RB_TRY(writer.write(text));
  RB_TRY(writer.commit(std::move(stop)));
  return {};
}

/// Only where there is none: the one that is there may be the operator's own.
Status bring_public_key(Directory& to, Directory& listing) {
  const std::string name(set::k_public_key_name);
  const auto source = listing.fs().open_read(name);
  const auto there = to.fs().open_read(name);
  if (!source || there || there.error().code != ErrorCode::not_found) {
    return {};
  }
  Bytes text(set::k_manifest_limit_bytes);
  RB_TRY_ASSIGN(const std::size_t got, (*source)->read(text));
  return set::replace_file(to, name, ByteView(text).first(got));
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
    on_file(set::signature_name(set.run_id));
    RB_TRY(store_small(to, listing, set::signature_name(set.run_id), result, stop));
  }
  RB_TRY(bring_public_key(to, listing));
  on_file(set::manifest_name(set.run_id));
  RB_TRY(store_small(to, listing, set::manifest_name(set.run_id), result, stop));
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
