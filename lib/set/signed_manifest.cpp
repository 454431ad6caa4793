// Apart from reading, so that a program which only reads takes nothing that handles private keys.
#include "set/manifest.hpp"
#include "set/names.hpp"
#include "sign/signing_key.hpp"

namespace rb::set {

Result<StoredFile>
write_signed_manifest(Directory& directory, const Manifest& manifest, const sign::SigningKey& key) {
  if (manifest.signed_by != sign::to_string(key.public_key().id())) {
    return Error{ErrorCode::invalid_argument, "the manifest names another signing key", {}};
  }
  const std::string text = serialize(manifest);
  RB_TRY_ASSIGN(const sign::Signature signature,
                key.sign(as_bytes(text), "railiance-backup run=" + manifest.run_id));
  RB_TRY_ASSIGN(ArtifactWriter writer,
                ArtifactWriter::create(directory, manifest_name(manifest.run_id)));
  RB_TRY(writer.write(as_bytes(text)));
  RB_TRY_ASSIGN(ArtifactWriter beside,
                ArtifactWriter::create(directory, signature_name(manifest.run_id)));
  RB_TRY(beside.write(as_bytes(sign::serialize(signature))));
  RB_TRY(beside.commit());
  return writer.commit();
}

} // namespace rb::set
