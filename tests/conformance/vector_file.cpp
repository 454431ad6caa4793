#include "conformance/vector_file.hpp"

#include "base/fd.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace rb::conformance {

namespace {

constexpr std::size_t k_vector_limit_bytes = std::size_t{64} << 20U;
constexpr const char* k_sha256_of_nothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

Error bad(const std::string& what) {
  return {ErrorCode::corrupt, "test vector: " + what, {}};
}

Result<Bytes> inflate_all(ByteView compressed) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) {
    return bad("zlib failed");
  }
  Bytes in(compressed.begin(), compressed.end());
  stream.next_in = in.data();
  stream.avail_in = static_cast<unsigned>(in.size());
  Bytes out;
  std::array<std::uint8_t, 65536> piece{};
  int state = Z_OK;
  while (state == Z_OK && out.size() <= k_vector_limit_bytes) {
    stream.next_out = piece.data();
    stream.avail_out = static_cast<unsigned>(piece.size());
    state = inflate(&stream, Z_NO_FLUSH);
    out.insert(out.end(), piece.begin(), piece.end() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END) {
    return bad("not zlib");
  }
  return out;
}

struct Field {
  std::string key;
  std::string value;
};

Status apply(const Field& field, Vector& vector, bool& compressed) {
  if (field.key == "expect") {
    vector.expect = field.value;
  } else if (field.key == "payload") {
    vector.payload_sha256 = field.value;
  } else if (field.key == "identity") {
    vector.identities.push_back(field.value);
  } else if (field.key == "passphrase") {
    vector.passphrases.push_back(field.value);
  } else if (field.key == "armored") {
    vector.armored = field.value == "yes";
  } else if (field.key == "compressed") {
    if (field.value != "zlib") {
      return bad("compressed with " + field.value);
    }
    compressed = true;
  } else if (field.key != "file key" && field.key != "comment") {
    return bad("unknown key " + field.key);
  }
  return {};
}

} // namespace

Kind Vector::kind() const {
  if (!passphrases.empty()) {
    return Kind::scrypt;
  }
  const bool hybrid = std::any_of(identities.begin(), identities.end(), [](const auto& identity) {
    return identity.starts_with("AGE-SECRET-KEY-PQ-1");
  });
  return hybrid ? Kind::hybrid : Kind::x25519;
}

Result<Vector> read_vector(const std::filesystem::path& path) {
  RB_TRY_ASSIGN(const std::string text, read_text_file(path.string(), k_vector_limit_bytes));
  Vector vector;
  vector.name = path.filename().string();
  vector.payload_sha256 = k_sha256_of_nothing;
  bool compressed = false;
  std::string_view left = text;
  for (;;) {
    const std::size_t newline = left.find('\n');
    if (newline == std::string_view::npos) {
      return bad("no empty line after its header");
    }
    const std::string_view line = left.substr(0, newline);
    left.remove_prefix(newline + 1);
    if (line.empty()) {
      break;
    }
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) {
      return bad("malformed header");
    }
    RB_TRY(apply({std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))},
                 vector,
                 compressed));
  }
  const ByteView body = as_bytes(left);
  if (compressed) {
    RB_TRY_ASSIGN(vector.file, inflate_all(body));
  } else {
    vector.file.assign(body.begin(), body.end());
  }
  return vector;
}

} // namespace rb::conformance
