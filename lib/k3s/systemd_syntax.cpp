#include "k3s/lines.hpp"
#include "k3s/systemd.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace rb::k3s {

namespace {

constexpr std::string_view k_blank = " \t\r";

bool is_comment(std::string_view line) {
  return line.starts_with('#') || line.starts_with(';');
}

/// An odd number of backslashes: each second one is escaped by that before it.
bool goes_on_behind(std::string_view line) {
  const std::size_t last = line.find_last_not_of('\\');
  const std::size_t count = line.size() - (last == std::string_view::npos ? 0 : last + 1);
  return count % 2 == 1;
}

/// Lines without comments; one that ends with '\' goes on, also behind a comment.
std::vector<std::string> logical_lines(std::string_view text) {
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  text.remove_prefix(text.starts_with(k_byte_order_mark) ? k_byte_order_mark.size() : 0);
  std::vector<std::string> lines;
  bool goes_on = false;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (is_comment(trimmed(line))) {
      continue;
    }
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    const bool more = goes_on_behind(line);
    if (more) {
      line.remove_suffix(1);
    }
    if (goes_on) {
      lines.back().append(" ").append(trimmed(line));
    } else {
      lines.emplace_back(trimmed(line));
    }
    goes_on = more;
  }
  return lines;
}

/// "x2d", "055": the character that such digits stand for, and `digits` is how many characters
/// they are.
std::optional<char> escaped_by_number(std::string_view text, std::size_t& digits) {
  const bool hex = text.starts_with('x');
  constexpr std::string_view k_digits = "0123456789abcdef";
  const std::size_t base = hex ? 16 : 8;
  std::size_t value = 0;
  digits = 3;
  for (std::size_t at = hex ? 1 : 0; at < digits; ++at) {
    const int digit = at < text.size() ? std::tolower(static_cast<unsigned char>(text[at])) : 0;
    const std::size_t found = k_digits.substr(0, base).find(static_cast<char>(digit));
    if (found == std::string_view::npos) {
      return std::nullopt;
    }
    value = value * base + found;
  }
  return value == 0 || value > 0xff ? std::nullopt : std::optional(static_cast<char>(value));
}

/// Of "\n" and its like; nothing where the escape is of no kind that systemd knows.
std::optional<char> escaped(char c) {
  constexpr std::array<std::pair<char, char>, 11> k_escapes{{{'a', '\a'},
                                                             {'b', '\b'},
                                                             {'f', '\f'},
                                                             {'n', '\n'},
                                                             {'r', '\r'},
                                                             {'t', '\t'},
                                                             {'v', '\v'},
                                                             {'\\', '\\'},
                                                             {'"', '"'},
                                                             {'\'', '\''},
                                                             {'s', ' '}}};
  for (const auto& [letter, meant] : k_escapes) {
    if (letter == c) {
      return meant;
    }
  }
  return std::nullopt;
}

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// As systemd-escape(1) takes it back: "a-b" is a/b, and "\x2d" the dash itself.
std::string unescaped(std::string_view name) {
  constexpr std::string_view k_hex = "0123456789abcdef";
  std::string text;
  for (std::size_t at = 0; at < name.size(); ++at) {
    const std::string_view rest = name.substr(at);
    const std::size_t high = rest.starts_with("\\x") && rest.size() > 3 ? k_hex.find(rest[2]) : 16;
    const std::size_t low = high < 16 ? k_hex.find(rest[3]) : 16;
    if (low < 16) {
      text += static_cast<char>(high * 16 + low);
      at += 3;
    } else {
      text += name[at] == '-' ? '/' : name[at];
    }
  }
  return text;
}

/// "${A}" and "$$"; a "$A" in the middle of a word stays.
std::string filled_in(std::string_view word, const Variables& environment) {
  std::string filled;
  for (std::size_t at = 0; at < word.size(); ++at) {
    const std::string_view rest = word.substr(at);
    const std::size_t end = rest.find('}');
    if (rest.starts_with("$$")) {
      filled += '$';
      ++at;
    } else if (rest.starts_with("${") && end != std::string_view::npos) {
      filled += value_of(environment, rest.substr(2, end - 2));
      at += end;
    } else {
      filled += word[at];
    }
  }
  return filled;
}

/// One value of an environment file, from behind '='; `text` is behind its line afterwards. As
/// systemd reads it (src/basic/env-file.c), a quote begins something only where nothing unquoted
/// stands before it: in ARGS=--a="b c" and in it's it is a character like others.
std::string environment_value(std::string_view& text) {
  std::string value;
  std::size_t kept = 0; ///< Blanks at the end go, but quoted ones.
  char quote = '\0';
  bool plain = false;
  std::size_t at = 0;
  for (; at < text.size() && (quote != '\0' || text[at] != '\n'); ++at) {
    const char c = text[at];
    const bool blank = k_blank.find(c) != std::string_view::npos;
    if (quote != '\'' && c == '\\' && at + 1 < text.size()) {
      ++at;
      const bool literal =
          quote == '"' && std::string_view("\"\\`$\n").find(text[at]) == std::string_view::npos;
      if (literal) {
        value += '\\';
      }
      if (text[at] != '\n') {
        value += text[at];
      }
      kept = value.size();
      plain = plain || quote == '\0';
    } else if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        value += c;
      }
      kept = value.size();
    } else if (!plain && (c == '\'' || c == '"')) {
      quote = c;
    } else if (plain || !blank) {
      plain = true;
      value += c;
      kept = blank ? kept : value.size();
    }
  }
  text.remove_prefix(std::min(at + 1, text.size()));
  value.resize(kept);
  return value;
}

} // namespace

std::vector<UnitLine> service_lines(std::string_view text) {
  std::vector<UnitLine> lines;
  bool service = false;
  for (const std::string& line : logical_lines(text)) {
    const std::size_t equals = line.find('=');
    if (line.starts_with('[')) {
      service = line == "[Service]";
    } else if (service && equals != std::string::npos) {
      const std::string_view all = line;
      lines.push_back({std::string(trimmed(all.substr(0, equals))),
                       std::string(trimmed(all.substr(equals + 1)))});
    }
  }
  return lines;
}

Variables environment_of_file(std::string_view text) {
  Variables variables;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::size_t equals = text.find('=');
    const std::string_view line = trimmed(text.substr(0, end));
    if (line.empty() || is_comment(line) || equals >= end) {
      text.remove_prefix(std::min(end + 1, text.size()));
      continue;
    }
    const std::string_view name = trimmed(text.substr(0, equals));
    text.remove_prefix(equals + 1);
    std::string value = environment_value(text);
    // "export K3S_TOKEN=…" is the variable of a shell: systemd ignores the assignment.
    if (std::ranges::all_of(name, is_name)) {
      variables[std::string(name)] = std::move(value);
    }
  }
  return variables;
}

std::vector<std::string> unit_words(std::string_view line) {
  std::vector<std::string> words;
  bool open = false;
  char quote = '\0';
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (quote == '\0' && k_blank.find(c) != std::string_view::npos) {
      open = false;
      continue;
    }
    if (!open) {
      words.emplace_back();
      open = true;
    }
    if (quote == '\0' ? c == '\'' || c == '"' : c == quote) {
      quote = quote == '\0' ? c : '\0';
    } else if (c == '\\' && at + 1 < line.size()) {
      std::size_t digits = 0;
      const auto number = escaped_by_number(line.substr(++at), digits);
      const auto meant = number ? number : escaped(line[at]);
      if (!meant) {
        words.back() += c;
      }
      words.back() += meant.value_or(line[at]);
      at += number ? digits - 1 : 0;
    } else {
      words.back() += c;
    }
  }
  return words;
}

std::string credentials_directory(const std::string& unit) {
  return "/run/credentials/" + unit + ".service";
}

std::string
without_specifiers(std::string_view text, const std::string& unit, const std::string& host_name) {
  const std::size_t at_sign = unit.find('@');
  const std::string prefix = unit.substr(0, at_sign);
  const std::string instance = at_sign == std::string::npos ? "" : unit.substr(at_sign + 1);
  const std::string last = prefix.substr(prefix.rfind('-') + 1);
  const std::array<std::pair<char, std::string>, 21> meanings{
      {{'N', unit},
       {'n', unit + ".service"},
       {'p', prefix},
       {'P', unescaped(prefix)},
       {'i', instance},
       {'I', unescaped(instance)},
       {'j', last},
       {'J', unescaped(last)},
       {'f', "/" + unescaped(instance.empty() ? prefix : instance)},
       {'H', host_name.empty() ? "%H" : host_name},
       {'l', host_name.empty() ? "%l" : host_name.substr(0, host_name.find('.'))},
       {'d', credentials_directory(unit)},
       {'t', "/run"},
       {'S', "/var/lib"},
       {'C', "/var/cache"},
       {'L', "/var/log"},
       {'T', "/tmp"},
       {'V', "/var/tmp"},
       {'E', "/etc"},
       {'h', "/root"},
       {'%', "%"}}};
  std::string meant;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto* const found =
        text[at] == '%' && at + 1 < text.size()
            ? std::ranges::find(meanings, text[at + 1], &std::pair<char, std::string>::first)
            : meanings.end();
    if (found == meanings.end()) {
      meant += text[at];
    } else {
      meant += found->second;
      ++at;
    }
  }
  return meant;
}

std::vector<std::string> command_words(std::string_view line, const Variables& environment) {
  bool fills_in = true;
  bool has_name = false;
  while (!line.empty() && std::string_view("@-:+!|").find(line.front()) != std::string_view::npos) {
    fills_in = fills_in && line.front() != ':';
    has_name = has_name || line.front() == '@';
    line.remove_prefix(1);
  }
  std::vector<std::string> words;
  for (const std::string& word : unit_words(line)) {
    const bool alone = word.size() > 1 && word.front() == '$' && word[1] != '$' &&
                       std::ranges::all_of(word.substr(1), is_name);
    if (!fills_in) {
      words.push_back(word);
    } else if (alone) {
      const std::string value = value_of(environment, std::string_view(word).substr(1));
      std::ranges::move(unit_words(value), std::back_inserter(words));
    } else {
      words.push_back(filled_in(word, environment));
    }
  }
  if (has_name && words.size() > 1) {
    words.erase(words.begin() + 1);
  }
  return words;
}

} // namespace rb::k3s
