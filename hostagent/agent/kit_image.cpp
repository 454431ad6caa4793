#include "agent/kit_image.hpp"

#include "artifact/durable_file.hpp"
#include "artifact/signed_files.hpp"

#include <algorithm>

namespace rb::agent {

namespace {

const std::string k_name(artifact::k_image_name);

/// What is there begins as this image's archive does, has its size and the host's signature.
bool is_there(artifact::Directory& directory,
              const ImageContent& image,
              const std::string& name,
              const sign::PublicKey& own) {
  const auto file = directory.fs().open_read(k_name);
  if (!file) {
    return false;
  }
  const Bytes wanted = archive_head(image, name);
  Bytes head(wanted.size());
  const auto size = (*file)->size();
  const auto got = (*file)->read(head);
  return size && *size == archive_bytes(image, name) && got && *got == head.size() &&
         head == wanted &&
         artifact::judge_signed_file(directory, k_name, std::span(&own, 1)).trust ==
             artifact::FileTrust::genuine;
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

Status store(artifact::Directory& directory,
             const ImageContent& image,
             const std::string& name,
             const std::stop_token& stop) {
  artifact::DurableOrder order;
  order.name = k_name;
  order.replace = true;
  order.read_back = true;
  RB_TRY_ASSIGN(artifact::DurableFile file,
                artifact::DurableFile::create(directory.fs(), std::move(order)));
  RB_TRY(write_image_archive(
      image, name, until(stop, [&](ByteView bytes) { return file.write(bytes); })));
  const auto committed = file.commit(stop);
  return committed ? Status() : Status(committed.error());
}

} // namespace

Status keep_image(artifact::Directory& directory,
                  const std::string& data_dir,
                  const ImageName& image,
                  std::uint64_t spare_bytes,
                  const sign::SigningKey& key,
                  std::stop_token stop) {
  RB_TRY_ASSIGN(const ImageContent content, find_image(data_dir, image.id));
  const std::string name = full_image_name(image.reference);
  const std::uint64_t size = archive_bytes(content, name);
  if (size > artifact::k_signed_file_limit_bytes) {
    return Error{ErrorCode::unsupported, "the image is too large to be kept: " + name, {}};
  }
  if (is_there(directory, content, name, key.public_key())) {
    return {};
  }
  RB_TRY(artifact::check_free_space(directory, size + spare_bytes));
  sign::Blake2b hash;
  RB_TRY(write_image_archive(content, name, until(stop, [&](ByteView bytes) {
                               hash.update(bytes);
                               return Status();
                             })));
  RB_TRY(artifact::announce_signature(directory, k_name, hash.digest(), key));
  RB_TRY(store(directory, content, name, stop));
  return artifact::settle_signature(directory, k_name);
}

} // namespace rb::agent
