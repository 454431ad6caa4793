#include "age/header.hpp"

#include <algorithm>

namespace rb::age {

namespace {

constexpr std::size_t k_columns = 64;
constexpr std::size_t k_bytes_a_line = k_columns / 4 * 3;
constexpr std::string_view k_stanza_start = "->";
constexpr std::string_view k_footer_start = "---";
constexpr std::size_t k_mac_text_size = 43;

Error bad(std::string_view what) {
  return {ErrorCode::corrupt, std::string(what), {}};
}

/// Takes lines off the front of a text; every line ends with a newline.
class Lines {
public:
  explicit Lines(std::string_view text) : m_left(text) {}

  [[nodiscard]] bool at(std::string_view start) const { return m_left.starts_with(start); }
  [[nodiscard]] bool done() const { return m_left.empty(); }

  /// Without its newline.
  [[nodiscard]] Result<std::string_view> next() {
    const std::size_t end = m_left.find('\n');
    if (end == std::string_view::npos) {
      return bad("cut off");
    }
    const std::string_view line = m_left.substr(0, end);
    m_left.remove_prefix(end + 1);
    return line;
  }

private:
  std::string_view m_left;
};

bool is_argument(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 33 && c <= 126; });
}

/// The words after "->", each after exactly one space.
Result<std::vector<std::string>> split_arguments(std::string_view line) {
  std::vector<std::string> words;
  line.remove_prefix(k_stanza_start.size());
  while (!line.empty()) {
    if (line.front() != ' ') {
      return bad("malformed first line of a stanza");
    }
    line.remove_prefix(1);
    const std::string_view word = line.substr(0, line.find(' '));
    if (!is_argument(word)) {
      return bad("malformed argument of a stanza");
    }
    if (words.size() > k_stanza_argument_limit) {
      return bad("more than 128 arguments in a stanza");
    }
    words.emplace_back(word);
    line.remove_prefix(word.size());
  }
  if (words.empty()) {
    return bad("a stanza without a type");
  }
  return words;
}

/// Lines of 64 columns, and one shorter line (perhaps empty) at the end.
Result<Bytes> parse_body(Lines& lines) {
  Bytes body;
  for (;;) {
    RB_TRY_ASSIGN(const std::string_view line, lines.next());
    if (line.size() > k_columns) {
      return bad("a line of a stanza is longer than 64 columns");
    }
    RB_TRY_ASSIGN(const Bytes part, decode_unpadded(line));
    body.insert(body.end(), part.begin(), part.end());
    if (line.size() < k_columns) {
      return body;
    }
  }
}

Result<Stanza> parse_stanza(Lines& lines) {
  if (!lines.at(k_stanza_start)) {
    return bad("malformed first line of a stanza");
  }
  RB_TRY_ASSIGN(const std::string_view line, lines.next());
  RB_TRY_ASSIGN(auto words, split_arguments(line));
  Stanza stanza;
  stanza.type = std::move(words.front());
  words.erase(words.begin());
  stanza.arguments = std::move(words);
  RB_TRY_ASSIGN(stanza.body, parse_body(lines));
  return stanza;
}

Status parse_footer(Lines& lines, Header& header) {
  RB_TRY_ASSIGN(std::string_view line, lines.next());
  line.remove_prefix(k_footer_start.size());
  if (line.size() != k_mac_text_size + 1 || line.front() != ' ') {
    return bad("malformed mac line");
  }
  RB_TRY_ASSIGN(const Bytes mac, decode_unpadded(line.substr(1)));
  std::copy(mac.begin(), mac.end(), header.mac.begin());
  return {};
}

void append_stanza(std::string& text, const Stanza& stanza) {
  text.append(k_stanza_start).append(" ").append(stanza.type);
  for (const std::string& argument : stanza.arguments) {
    text.append(" ").append(argument);
  }
  text.append("\n");
  const ByteView body = stanza.body;
  for (std::size_t at = 0; at <= body.size(); at += k_bytes_a_line) {
    const std::size_t count = std::min(k_bytes_a_line, body.size() - at);
    text.append(encode_unpadded(body.subspan(at, count))).append("\n");
  }
}

} // namespace

Result<Header> parse_header(std::string_view text) {
  if (text.size() > k_header_limit_bytes) {
    return bad("larger than 2 MiB");
  }
  if (!text.starts_with(k_header_intro)) {
    return bad("not a file of age-encryption.org/v1");
  }
  Lines lines(text.substr(k_header_intro.size()));
  Header header;
  while (!lines.at(k_footer_start)) {
    if (header.stanzas.size() == k_stanza_limit) {
      return bad("more than 1024 stanzas");
    }
    RB_TRY_ASSIGN(Stanza stanza, parse_stanza(lines));
    header.stanzas.push_back(std::move(stanza));
  }
  if (header.stanzas.empty()) {
    return bad("no stanza");
  }
  RB_TRY(parse_footer(lines, header));
  if (!lines.done()) {
    return bad("data after the mac line");
  }
  return header;
}

std::string marshal(const Header& header) {
  std::string text(k_header_intro);
  for (const Stanza& stanza : header.stanzas) {
    append_stanza(text, stanza);
  }
  text.append(k_footer_start).append(" ").append(encode_unpadded(header.mac)).append("\n");
  return text;
}

std::string_view mac_covered(std::string_view marshalled) {
  const std::size_t after_dashes = 1 + k_mac_text_size + 1; // space, mac, newline
  return marshalled.substr(0, marshalled.size() - std::min(marshalled.size(), after_dashes));
}

Result<Bytes> decode_unpadded(std::string_view text) {
  if (text.ends_with('=')) {
    return bad("padded base64");
  }
  std::string padded(text);
  padded.append((4 - text.size() % 4) % 4, '=');
  return from_base64(padded);
}

std::string encode_unpadded(ByteView bytes) {
  std::string text = to_base64(bytes);
  while (text.ends_with('=')) {
    text.pop_back();
  }
  return text;
}

} // namespace rb::age
