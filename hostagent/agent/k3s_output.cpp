#include "agent/k3s_output.hpp"

#include "base/json_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::agent {

namespace {

constexpr std::size_t k_words_limit = 300;
constexpr std::string_view k_blank = " \t\r\n";
constexpr std::string_view k_removed = "[removed]";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t begin = line.find_first_not_of(k_blank);
    if (begin != std::string_view::npos) {
      lines.push_back(line.substr(begin, line.find_last_not_of(k_blank) - begin + 1));
    }
  }
  return lines;
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// zap's JSON: {"level":"info",…,"msg":"saved","path":"/…/X"}.
std::string saved_in_json(std::string_view line) {
  const auto json = json_of(line);
  if (!json.is_object()) {
    return {};
  }
  const auto message = json.find("msg");
  const auto path = json.find("path");
  if (message == json.end() || *message != "saved" || path == json.end() || !path->is_string()) {
    return {};
  }
  return std::string(base_name(path->get_ref<const std::string&>()));
}

/// "… Snapshot X saved." where X has no blank in it; of a path, its last component.
std::string saved_in_text(std::string_view line) {
  constexpr std::string_view k_before = "Snapshot ";
  constexpr std::string_view k_after = " saved.";
  for (std::size_t at = line.find(k_before); at != std::string_view::npos;
       at = line.find(k_before, at + 1)) {
    const std::string_view rest = line.substr(at + k_before.size());
    const std::string_view name = rest.substr(0, rest.find_first_of(k_blank));
    if (!name.empty() && rest.substr(name.size()).starts_with(k_after)) {
      return std::string(base_name(name));
    }
  }
  return {};
}

/// The text of msg="…" in a logrus line, its escapes undone; or the line as it is.
std::string message_of(std::string_view line) {
  constexpr std::string_view k_message = "msg=\"";
  const std::size_t at = line.find(k_message);
  if (at == std::string_view::npos) {
    const std::size_t tty = line.find("] ");
    const bool framed = line.starts_with("FATA[") || line.starts_with("ERRO[") ||
                        line.starts_with("WARN[") || line.starts_with("INFO[");
    return std::string(framed && tty != std::string_view::npos ? line.substr(tty + 2) : line);
  }
  std::string text;
  for (std::size_t i = at + k_message.size(); i < line.size() && line[i] != '"'; ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      ++i;
      text.push_back(line[i] == 'n' || line[i] == 't' ? ' ' : line[i]);
    } else {
      text.push_back(line[i]);
    }
  }
  return text;
}

bool is_failure_line(std::string_view line) {
  return line.find("level=fatal") != std::string_view::npos ||
         line.find("level=error") != std::string_view::npos || line.starts_with("FATA[") ||
         line.starts_with("ERRO[") || line.starts_with("Error:") ||
         line.starts_with("Incorrect Usage");
}

std::string printable(std::string_view text) {
  std::string clean;
  for (const char c : text) {
    clean.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  }
  const std::size_t end = clean.find_last_not_of(k_blank);
  clean.resize(end == std::string::npos ? 0 : end + 1);
  return clean;
}

/// Cuts at a character boundary of UTF-8.
std::string bounded(std::string text) {
  if (text.size() <= k_words_limit) {
    return text;
  }
  std::size_t end = k_words_limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;
  }
  text.resize(end);
  return text + "…";
}

void replace_token(std::string& text) {
  for (std::size_t at = text.find("K10"); at != std::string::npos; at = text.find("K10", at + 1)) {
    const std::size_t end = std::min(text.find_first_of(" \t\"'\\,;)", at), text.size());
    if (text.substr(at, end - at).find("::") != std::string::npos) {
      text.replace(at, end - at, k_removed);
    }
  }
}

void replace_url_password(std::string& text) {
  for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    const std::size_t begin = at + 3;
    const std::size_t end = std::min(text.find_first_of(" \t\"'/\\", begin), text.size());
    const std::size_t sign = text.rfind('@', end);
    if (sign != std::string::npos && sign > begin && sign < end) {
      text.replace(begin, sign - begin, k_removed);
    }
  }
}

} // namespace

std::vector<std::string> saved_names(std::string_view output) {
  std::vector<std::string> names;
  for (const std::string_view line : lines_of(output)) {
    std::string name = line.starts_with('{') ? saved_in_json(line) : saved_in_text(line);
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

std::string without_secrets(std::string_view text) {
  std::string clean(text);
  replace_token(clean);
  replace_url_password(clean);
  return clean;
}

std::string last_words(const ProcessResult& result) {
  std::vector<std::string_view> lines = lines_of(result.err);
  if (lines.empty()) {
    lines = lines_of(result.out);
  }
  if (lines.empty()) {
    return {};
  }
  const auto failure = std::find_if(lines.rbegin(), lines.rend(), is_failure_line);
  const std::string_view line = failure == lines.rend() ? lines.back() : *failure;
  return bounded(without_secrets(printable(message_of(line))));
}

} // namespace rb::agent
