// An age file taken to pieces by hand, so that a test can put them together wrongly. Format: C2SP
// age.md, "STREAM"; written anew here, so that a mistake in lib/age is not made twice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rb::test {

struct AgeStream {
  std::string header; ///< Up to the newline after the MAC.
  std::string nonce;  ///< 16 bytes.
  std::vector<std::string> chunks;

  [[nodiscard]] static AgeStream of(std::string_view file);
  [[nodiscard]] std::string file() const;
};

} // namespace rb::test
