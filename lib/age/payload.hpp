// The payload of an age file (c2sp.org/age, "Payload"): 64 KiB chunks of ChaCha20-Poly1305 in the
// STREAM construction, sealed or opened by several threads. Knows nothing of headers.
#pragma once

#include "age/io.hpp"
#include "base/result.hpp"

#include <cstdint>

namespace rb::age {

/// Seals `source` under `key` (32 bytes) into `sink`. Takes on_plaintext, progress, stop and
/// threads of the options. Returns the bytes of ciphertext. Errors: as encrypt().
[[nodiscard]] Result<std::uint64_t>
seal_payload(Source& source, Sink& sink, ByteView key, const StreamOptions& options);

/// What came of opening a payload: the failure, if any, is of the payload itself (`damaged`) or of
/// source, sink or cancellation.
struct OpenedPayload {
  Result<std::uint64_t> plaintext_bytes;
  bool damaged = false;
};

/// Opens `source` under `key` (32 bytes) into `sink`, which gets nothing that was not
/// authenticated. Takes on_plaintext, progress, stop and threads of the options.
[[nodiscard]] OpenedPayload
open_payload(Source& source, Sink& sink, ByteView key, const StreamOptions& options);

/// Copies the rest of `source`, whatever it is. Nothing is opened and nothing is authenticated.
/// Takes on_ciphertext, progress (of bytes copied) and stop of the options. Returns the bytes
/// copied.
[[nodiscard]] Result<std::uint64_t>
copy_sealed(Source& source, Sink& sink, const StreamOptions& options);

} // namespace rb::age
