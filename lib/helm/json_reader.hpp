// Reads JSON (RFC 8259) token by token, without copies and without a tree: a release's chart and
// manifest are hundreds of kilobytes that nobody here wants, and are skipped. nlohmann's SAX
// interface would decode each of their strings. Private to this room.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <string_view>

namespace rb::helm {

enum class JsonKind { invalid, null, boolean, number, string, object, list };

/// A failure is sticky: whatever is called after it returns false or nothing. The views returned
/// point into the text given, which must outlive them.
class JsonReader {
public:
  explicit JsonReader(std::string_view text) : m_text(text) {}

  /// Of the value that comes next; invalid (and a failure) when none does.
  [[nodiscard]] JsonKind kind();

  /// After open_object(): the next key, as it stands between its quotes, and the colon; false at
  /// the closing brace (which is taken) and on a failure.
  bool open_object();
  [[nodiscard]] bool next_key(std::string_view& raw_key);

  /// After open_list(): true before each item; false at the closing bracket and on a failure.
  bool open_list();
  [[nodiscard]] bool next_item();

  /// What stands between the quotes; its escapes are valid, and not decoded (scalars.hpp).
  [[nodiscard]] std::string_view string();
  /// The text of the number, which follows the grammar of JSON.
  [[nodiscard]] std::string_view number();
  /// "null", "true" or "false".
  [[nodiscard]] std::string_view literal();

  /// Passes over the value that comes next, which is returned as text. Only its structure is
  /// checked (brackets, quotes): a backup prefers the values of a release whose chart is odd.
  std::string_view skip();

  /// Nothing but white space is left; a failure otherwise.
  bool finish();

  [[nodiscard]] bool failed() const { return !m_failure.empty(); }
  /// Code corrupt, message "bad json: … at byte N"; never a part of the text.
  [[nodiscard]] Error error() const;

private:
  bool fail(std::string_view why);
  void skip_space();
  bool take(char expected, std::string_view why);
  bool separator(char closing);
  bool skip_string();

  std::string_view m_text;
  std::size_t m_at = 0;
  bool m_just_opened = false;
  std::string_view m_failure;
};

} // namespace rb::helm
