// Writing under the host's signature: the manifest of a run or a rewrap, the stamp, the files of
// the kit. Apart from reading, so that a program which only reads takes nothing that handles
// private keys.
#pragma once

#include "set/manifest.hpp"
#include "sign/minisign.hpp"
#include "sign/signing_key.hpp"

#include <string>

namespace rb::set {

/// The manifest appears under its name only once its signature is durable, so that there is never a
/// set that lacks it. What a crash leaves between the two is a signature without a manifest.
/// `manifest.signed_by` is the id of `key`. Errors: those of ArtifactWriter, invalid_argument
/// (another key's id), internal.
[[nodiscard]] Result<StoredFile>
write_signed_manifest(Directory& directory, const Manifest& manifest, const sign::SigningKey& key);

// A file and its signature are two files, and a crash may come between: so the signature of what
// will be there is durable first, under a name of its own ("<name>.minisig.next"), and takes its
// place last. A reader takes either, and at no moment is a file of the host without one.

/// The three steps in one. Errors: those of replace_file, internal.
[[nodiscard]] Status write_signed_file(Directory& directory,
                                       const std::string& name,
                                       ByteView content,
                                       const sign::SigningKey& key);

/// First step, where the caller writes the file: the signature of what will have this digest. What
/// a crash left is settled before.
[[nodiscard]] Status announce_signature(Directory& directory,
                                        const std::string& name,
                                        const sign::Blake2bDigest& digest,
                                        const sign::SigningKey& key);

/// Last step.
[[nodiscard]] Status settle_signature(Directory& directory, const std::string& name);

/// `.last-backup` of a run (stamp_text), with its signature. Errors: those of write_signed_file.
[[nodiscard]] Status
write_stamp(Directory& directory, const Manifest& manifest, const sign::SigningKey& key);

} // namespace rb::set
