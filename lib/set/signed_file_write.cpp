// Apart from reading, so that a program which only reads takes nothing that handles private keys.
#include "set/signed_comment.hpp"
#include "set/signed_files.hpp"
#include "set/writer.hpp"
#include "sign/signing_key.hpp"

namespace rb::set {

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

} // namespace rb::set
