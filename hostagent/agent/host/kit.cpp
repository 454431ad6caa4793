#include "agent/host/kit.hpp"

#include "set/signed_files.hpp"
#include "set/signed_write.hpp"

#include "base/durable_file.hpp"
#include "base/fd.hpp"

#include <fcntl.h>

#include <algorithm>

namespace rb::agent {

namespace {

constexpr std::size_t k_buffer_bytes = 1U << 20U;

Error not_a_file(Error error) {
  if (error.code == ErrorCode::unsupported) {
    error.hint = "remove it: the agent puts its own file there";
  }
  return error;
}

/// The file of that name, nullptr where there is none. Errors: unsupported (a link, a directory).
Result<std::unique_ptr<File>> existing(set::Directory& directory, const std::string& name) {
  auto file = directory.fs().open_read(name);
  if (!file && file.error().code == ErrorCode::not_found) {
    return std::unique_ptr<File>();
  }
  if (!file) {
    return not_a_file(std::move(file).error());
  }
  return file;
}

struct Digests {
  Sha256Digest sha256{};         ///< What the copy is compared by.
  sign::Blake2bDigest blake2b{}; ///< What is signed.
};

/// Feeds the content of `source` to `take` and returns its digests.
template <typename Take>
Result<Digests> read_through(const Fd& source, const std::string& path, Take take) {
  Bytes buffer(k_buffer_bytes);
  Sha256 hash;
  sign::Blake2b signed_hash;
  for (std::uint64_t offset = 0;;) {
    RB_TRY_ASSIGN(const std::size_t got, read_at(source, buffer, offset, path));
    const ByteView bytes = ByteView(buffer).first(got);
    hash.update(bytes);
    signed_hash.update(bytes);
    RB_TRY(take(bytes));
    offset += got;
    if (got < buffer.size()) {
      return Digests{hash.digest(), signed_hash.digest()};
    }
  }
}

/// The file of that name in one durable step, with its signature: `feed` gives the content, whose
/// digest is known before.
template <typename Feed>
Status put_signed(set::Directory& directory,
                  DurableOrder order,
                  const sign::Blake2bDigest& digest,
                  const sign::SigningKey& key,
                  Feed feed,
                  const std::stop_token& stop) {
  const std::string name = order.name;
  order.replace = true;
  order.read_back = true;
  RB_TRY(set::announce_signature(directory, name, digest, key));
  RB_TRY_ASSIGN(DurableFile file, DurableFile::create(directory.fs(), std::move(order)));
  RB_TRY(feed([&file](ByteView bytes) { return file.write(bytes); }));
  RB_TRY(file.commit(stop));
  return set::settle_signature(directory, name);
}

bool is_genuine(set::Directory& directory, std::string_view name, const sign::PublicKey& own) {
  return set::judge_signed_file(directory, name, std::span(&own, 1)).trust ==
         set::FileTrust::genuine;
}

Status
keep_program(set::Directory& directory, const std::string& program, const sign::SigningKey& key) {
  const std::string name(set::k_tool_name);
  RB_TRY_ASSIGN(const Fd source, open_file(program, O_RDONLY));
  RB_TRY_ASSIGN(const Digests wanted,
                read_through(source, program, [](ByteView) { return Status(); }));
  RB_TRY_ASSIGN(const std::unique_ptr<File> copy, existing(directory, name));
  bool is_there = false;
  if (copy != nullptr) {
    // What others put there may be a sparse file of terabytes: no run must read that to its end.
    RB_TRY_ASSIGN(const std::uint64_t own_bytes, file_size(source, program));
    RB_TRY_ASSIGN(const std::uint64_t size_bytes, copy->size());
    is_there = size_bytes == own_bytes;
  }
  if (is_there) {
    RB_TRY_ASSIGN(const ContentDigest there, digest_of(*copy));
    is_there = there.sha256 == wanted.sha256;
  }
  if (is_there && is_genuine(directory, name, key.public_key())) {
    return {};
  }
  if (is_there) {
    RB_TRY(set::announce_signature(directory, name, wanted.blake2b, key));
    return set::settle_signature(directory, name);
  }
  DurableOrder order;
  order.name = name;
  order.mode = 0700;
  const auto copy_to = [&](const auto& take) { return read_through(source, program, take); };
  return put_signed(directory, std::move(order), wanted.blake2b, key, copy_to, {});
}

Status keep_guide(set::Directory& directory,
                  const set::Manifest& manifest,
                  const set::GuideFacts& facts,
                  const sign::SigningKey& key) {
  const std::string name(set::k_guide_name);
  RB_TRY_ASSIGN(const std::unique_ptr<File> there, existing(directory, name));
  const bool host_state = std::ranges::find(manifest.artifacts,
                                            api::ArtifactType::host_state,
                                            &api::ArtifactStatus::type) != manifest.artifacts.end();
  // One that this host did not sign is not kept, whatever it says.
  if (there != nullptr && !host_state && is_genuine(directory, name, key.public_key())) {
    return {};
  }
  const std::string text = set::restore_guide(manifest, facts);
  return set::write_signed_file(directory, name, as_bytes(text), key);
}

/// What is there begins as this image's archive does, has its size and the host's signature.
bool has_image(set::Directory& directory,
               const ImageContent& image,
               const std::string& name,
               const sign::PublicKey& own) {
  const auto file = directory.fs().open_read(std::string(set::k_image_name));
  if (!file) {
    return false;
  }
  const Bytes wanted = archive_head(image, name);
  Bytes head(wanted.size());
  const auto size = (*file)->size();
  const auto got = (*file)->read(head);
  return size && *size == archive_bytes(image, name) && got && *got == head.size() &&
         head == wanted && is_genuine(directory, set::k_image_name, own);
}

/// `take`, but it ends where it is told to.
TakeBytes until(const std::stop_token& stop, const TakeBytes& take) {
  return [&stop, take](ByteView bytes) -> Status {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "stopped while the image was copied", {}};
    }
    return take(bytes);
  };
}

} // namespace

std::vector<Error> write_kit(set::Directory& directory,
                             const std::string& program,
                             const set::Manifest& manifest,
                             const set::GuideFacts& facts,
                             const sign::SigningKey& key) {
  std::vector<Error> problems;
  if (Status kept = program.empty() ? Status() : keep_program(directory, program, key); !kept) {
    problems.push_back(std::move(kept).error());
  }
  if (Status kept = keep_guide(directory, manifest, facts, key); !kept) {
    problems.push_back(std::move(kept).error());
  }
  return problems;
}

Status keep_image(set::Directory& directory,
                  const std::string& data_dir,
                  const ImageName& image,
                  std::uint64_t spare_bytes,
                  const sign::SigningKey& key,
                  std::stop_token stop) {
  RB_TRY_ASSIGN(const ImageContent content, find_image(data_dir, image.id));
  const std::string name = full_image_name(image.reference);
  const std::uint64_t size = archive_bytes(content, name);
  if (size > set::k_signed_file_limit_bytes) {
    return Error{ErrorCode::unsupported, "the image is too large to be kept: " + name, {}};
  }
  if (has_image(directory, content, name, key.public_key())) {
    return {};
  }
  RB_TRY(set::check_free_space(directory, size + spare_bytes));
  const auto copy_to = [&](const TakeBytes& take) {
    return write_image_archive(content, name, until(stop, take));
  };
  sign::Blake2b hash;
  RB_TRY(copy_to([&hash](ByteView bytes) {
    hash.update(bytes);
    return Status();
  }));
  DurableOrder order;
  order.name = std::string(set::k_image_name);
  return put_signed(directory, std::move(order), hash.digest(), key, copy_to, stop);
}

} // namespace rb::agent
