// Reads ASCII armor (c2sp.org/age, "ASCII armor"; strict PEM of RFC 7468) as a stream.
#pragma once

#include "age/io.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace rb::age {

inline constexpr std::string_view k_armor_begin = "-----BEGIN AGE ENCRYPTED FILE-----";
inline constexpr std::string_view k_armor_end = "-----END AGE ENCRYPTED FILE-----";

/// True when `source` goes on like armor: white space, then "-----BEGIN". Takes nothing.
/// Errors: those of the source.
[[nodiscard]] Result<bool> looks_armored(BufferedSource& source);

/// The bytes inside the armor. Lines of 64 columns but the last, canonical base64 with padding,
/// LF or CRLF; white space only before and after, less than 1 KiB each; the input is read to its
/// end. Errors: corrupt ("armor: …"), and those of the source.
class ArmorSource final : public Source {
public:
  /// `source` outlives it.
  explicit ArmorSource(BufferedSource& source) : m_source(source) {}

  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer) override;

  /// True after an error of the armor itself, not of the source.
  [[nodiscard]] bool damaged() const { return m_damaged; }

private:
  enum class State { before, inside, last_line_read, ended };

  [[nodiscard]] Result<std::string> next_line();
  [[nodiscard]] Status begin();
  [[nodiscard]] Status decode_line();
  [[nodiscard]] Status end();
  [[nodiscard]] Error bad(std::string_view what);

  BufferedSource& m_source;
  State m_state = State::before;
  bool m_damaged = false;
  std::array<std::uint8_t, 48> m_line{};
  std::size_t m_line_begin = 0;
  std::size_t m_line_end = 0;
};

} // namespace rb::age
