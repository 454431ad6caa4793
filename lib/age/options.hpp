// What a caller may set for a pass over a payload.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>

namespace rb::age {

/// The callbacks are never called at the same time as themselves, and in the order of the bytes;
/// they may be called from any of the threads of the pass, and two different ones at the same
/// time. They must not throw. An empty function is not called.
struct StreamOptions {
  /// Threads of the pass, the caller's included; 0 means 2. Never more are used than this process
  /// has processors, and one only for inputs up to 256 KiB.
  unsigned threads = 0;

  /// Encryption: every byte as it is read. Decryption: every byte just before it is written, that
  /// is after its chunk was authenticated.
  std::function<void(ByteView)> on_plaintext;

  /// The age file, header included. Encryption: every byte just before it is written. Decryption:
  /// every byte as it is read (armor and all); on success that is the whole file.
  std::function<void(ByteView)> on_ciphertext;

  /// Bytes of plaintext done so far (written, or for encryption written as ciphertext).
  std::function<void(std::uint64_t plaintext_bytes)> progress;

  /// Ends the pass with ErrorCode::cancelled between two batches of 256 KiB.
  std::stop_token stop;
};

} // namespace rb::age
