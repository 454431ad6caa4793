#include "set/signed_write.hpp"

#include "set/marks.hpp"
#include "set/names.hpp"
#include "set/signed_files.hpp"

namespace rb::set {

Result<StoredFile>
write_signed_manifest(Directory& directory, const Manifest& manifest, const sign::SigningKey& key) {
  if (manifest.signed_by != sign::to_string(key.public_key().id())) {
    return Error{ErrorCode::invalid_argument, "the manifest names another signing key", {}};
  }
  const std::string text = serialize(manifest);
  RB_TRY_ASSIGN(const sign::Signature signature,
                key.sign(as_bytes(text), "railiance-backup run=" + manifest.run_id));
  RB_TRY_ASSIGN(ArtifactWriter writer, ArtifactWriter::create(directory, manifest.file_name()));
  RB_TRY(writer.write(as_bytes(text)));
  RB_TRY_ASSIGN(
      ArtifactWriter beside,
      ArtifactWriter::create(directory, signature_name(manifest.run_id, manifest.generation())));
  RB_TRY(beside.write(as_bytes(sign::serialize(signature))));
  RB_TRY(beside.commit());
  return writer.commit();
}

Status announce_signature(Directory& directory,
                          const std::string& name,
                          const sign::Blake2bDigest& digest,
                          const sign::SigningKey& key) {
  if (is_vouched_by_next(directory, name, key.public_key())) {
    RB_TRY(settle_signature(directory, name));
  }
  RB_TRY_ASSIGN(const sign::Signature signature, key.sign_digest(digest, comment_of_file(name)));
  return replace_file(
      directory, name + std::string(k_next_signature_suffix), as_bytes(sign::serialize(signature)));
}

Status settle_signature(Directory& directory, const std::string& name) {
  RB_TRY(directory.fs().rename_over(name + std::string(k_next_signature_suffix),
                                    name + std::string(k_signature_suffix)));
  return directory.fs().sync_directory();
}

Status write_signed_file(Directory& directory,
                         const std::string& name,
                         ByteView content,
                         const sign::SigningKey& key) {
  RB_TRY(announce_signature(directory, name, sign::blake2b_512(content), key));
  // After a failure it may be the old file or the new one: both signatures stay.
  RB_TRY(replace_file(directory, name, content));
  return settle_signature(directory, name);
}

Status write_stamp(Directory& directory, const Manifest& manifest, const sign::SigningKey& key) {
  return write_signed_file(
      directory, std::string(k_stamp_name), as_bytes(stamp_text(manifest)), key);
}

} // namespace rb::set
