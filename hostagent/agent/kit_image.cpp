#include "agent/kit_image.hpp"

#include "set/signed_files.hpp"
#include "set/signed_write.hpp"

#include "base/durable_file.hpp"

#include <algorithm>

namespace rb::agent {

namespace {

const std::string k_name(set::k_image_name);

/// What is there begins as this image's archive does, has its size and the host's signature.
bool is_there(set::Directory& directory,
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
         set::judge_signed_file(directory, k_name, std::span(&own, 1)).trust ==
             set::FileTrust::genuine;
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

Status store(set::Directory& directory,
             const ImageContent& image,
             const std::string& name,
             const std::stop_token& stop) {
  DurableOrder order;
  order.name = k_name;
  order.replace = true;
  order.read_back = true;
  RB_TRY_ASSIGN(DurableFile file, DurableFile::create(directory.fs(), std::move(order)));
  RB_TRY(write_image_archive(
      image, name, until(stop, [&](ByteView bytes) { return file.write(bytes); })));
  const auto committed = file.commit(stop);
  return committed ? Status() : Status(committed.error());
}

} // namespace

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
  if (is_there(directory, content, name, key.public_key())) {
    return {};
  }
  RB_TRY(set::check_free_space(directory, size + spare_bytes));
  sign::Blake2b hash;
  RB_TRY(write_image_archive(content, name, until(stop, [&](ByteView bytes) {
                               hash.update(bytes);
                               return Status();
                             })));
  RB_TRY(set::announce_signature(directory, k_name, hash.digest(), key));
  RB_TRY(store(directory, content, name, stop));
  return set::settle_signature(directory, k_name);
}

} // namespace rb::agent
