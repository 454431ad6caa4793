#include "archive/gzip.hpp"

#include "base/secret_bytes.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>

namespace rb::archive {

namespace {

constexpr int k_level = 6;
constexpr int k_gzip_window_bits = 15 + 16;  // zlib.h: adding 16 selects the gzip wrapper
constexpr int k_memory_level = 8;            // zlib.h: the default
constexpr std::size_t k_shortest_bytes = 18; // RFC 1952: header 10, trailer 8
constexpr std::size_t k_first_guess_ratio = 32;

// zlib keeps up to 32 KiB of the plaintext in its window: its blocks carry their size in front, so
// that they can be wiped when it gives them back.
constexpr std::size_t k_prefix_bytes = alignof(std::max_align_t);

voidpf allocate(voidpf /*opaque*/, uInt items, uInt size) {
  const std::size_t bytes = std::size_t{items} * size + k_prefix_bytes;
  auto* block = static_cast<std::uint8_t*>(::operator new(bytes, std::nothrow));
  if (block == nullptr) {
    return nullptr;
  }
  *reinterpret_cast<std::size_t*>(block) = bytes;
  return block + k_prefix_bytes;
}

void release(voidpf /*opaque*/, voidpf address) {
  if (address != nullptr) {
    auto* block = static_cast<std::uint8_t*>(address) - k_prefix_bytes;
    wipe({block, *reinterpret_cast<std::size_t*>(block)});
    ::operator delete(block);
  }
}

z_stream make_stream(ByteView input) {
  z_stream stream{};
  stream.zalloc = allocate;
  stream.zfree = release;
  stream.next_in = const_cast<Bytef*>(input.data()); // NOLINT: zlib does not write to it
  stream.avail_in = static_cast<uInt>(input.size());
  return stream;
}

bool fits(ByteView input) {
  return input.size() <= std::numeric_limits<uInt>::max();
}

Error damaged(std::string why) {
  return {ErrorCode::corrupt, "gzip: " + std::move(why), {}};
}

/// The most that may come out of `packed_bytes` in.
std::size_t bound(std::size_t packed_bytes, const GzipLimits& limits) {
  return std::min(limits.max_bytes,
                  std::max(limits.ratio_floor_bytes, packed_bytes * limits.max_ratio));
}

/// What the trailer says comes out (modulo 2^32), as far as it is credible.
std::size_t expected_bytes(ByteView packed, std::size_t most) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    size |= std::size_t{packed[packed.size() - 4 + i]} << (8 * i);
  }
  return std::min({size, most, packed.size() * k_first_guess_ratio});
}

Result<SecretBytes> inflate_all(z_stream& stream, SecretBuffer output, std::size_t most) {
  while (true) {
    // One byte beyond the bound tells "exactly at the bound" from "beyond it".
    const MutableByteView room = output.prepare(1);
    const auto step = static_cast<uInt>(std::min(room.size(), most + 1 - output.size()));
    stream.next_out = room.data();
    stream.avail_out = step;
    const int code = inflate(&stream, Z_NO_FLUSH);
    output.commit(step - stream.avail_out);
    if (output.size() > most) {
      return Error{ErrorCode::unsupported,
                   "gzip: expands to more than " + std::to_string(most) + " bytes",
                   {}};
    }
    if (code == Z_STREAM_END) {
      break;
    }
    if (code == Z_BUF_ERROR || (code == Z_OK && stream.avail_in == 0 && stream.avail_out != 0)) {
      return damaged("it ends early");
    }
    if (code != Z_OK) {
      return damaged(stream.msg != nullptr ? stream.msg : "damaged");
    }
  }
  if (stream.avail_in != 0) {
    return damaged("data after its end");
  }
  return std::move(output).take();
}

} // namespace

bool looks_like_gzip(ByteView bytes) {
  return bytes.size() >= 3 && bytes[0] == 0x1f && bytes[1] == 0x8b && bytes[2] == 0x08;
}

Result<SecretBytes> gzip(ByteView plain) {
  if (!fits(plain)) {
    return Error{ErrorCode::internal, "gzip: more than 4 GiB", {}};
  }
  z_stream stream = make_stream(plain);
  if (deflateInit2(
          &stream, k_level, Z_DEFLATED, k_gzip_window_bits, k_memory_level, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return Error{ErrorCode::internal, "gzip: out of memory", {}};
  }
  SecretBuffer output(deflateBound(&stream, static_cast<uLong>(plain.size())));
  const MutableByteView room = output.prepare(1);
  stream.next_out = room.data();
  stream.avail_out = static_cast<uInt>(room.size());
  const int code = deflate(&stream, Z_FINISH);
  output.commit(room.size() - stream.avail_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) {
    return Error{ErrorCode::internal, "gzip: zlib did not finish", {}};
  }
  return std::move(output).take();
}

Result<SecretBytes> gunzip(ByteView packed, const GzipLimits& limits) {
  if (!looks_like_gzip(packed)) {
    return damaged("not gzip");
  }
  if (packed.size() < k_shortest_bytes || !fits(packed)) {
    return damaged("it ends early");
  }
  const std::size_t most = bound(packed.size(), limits);
  z_stream stream = make_stream(packed);
  if (inflateInit2(&stream, k_gzip_window_bits) != Z_OK) {
    return Error{ErrorCode::internal, "gzip: out of memory", {}};
  }
  auto plain = inflate_all(stream, SecretBuffer(expected_bytes(packed, most) + 1), most);
  inflateEnd(&stream);
  return plain;
}

} // namespace rb::archive
