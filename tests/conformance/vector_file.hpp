// One vector of the C2SP CCTV age test kit (README.md of the Go module c2sp.org/CCTV/age).
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace rb::conformance {

enum class Kind { x25519, scrypt, hybrid };

struct Vector {
  std::string name;
  std::string expect;         ///< "success", "header failure", …
  std::string payload_sha256; ///< Hexadecimal; of nothing when the vector names none.
  std::vector<std::string> identities;
  std::vector<std::string> passphrases;
  bool armored = false;
  Bytes file; ///< Decompressed.

  /// What is needed to open it.
  [[nodiscard]] Kind kind() const;
};

/// Errors: corrupt (an unknown key among them: a vector that we don't understand is not passed
/// over), and those of reading a file.
[[nodiscard]] Result<Vector> read_vector(const std::filesystem::path& path);

} // namespace rb::conformance
