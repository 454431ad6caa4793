#include "k3s/output.hpp"

#include "k3s/lines.hpp"
#include "terminal/terminal_text.hpp"

#include "base/json_fields.hpp"
#include "base/json_member.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace rb::k3s {

namespace {

constexpr std::string_view k_blank = " \t\r\n";
constexpr std::string_view k_removed = "[removed]";

/// All words of a row stand in the line.
struct Noise {
  std::string_view first;
  std::string_view second;
};

constexpr std::array<Noise, 10> k_noise{{
    // One for each key of config.yaml that a subcommand does not know.
    {"Unknown flag ", ", skipping"},
    // The tunnel to the server itself, again and again until the server listens.
    {"Remotedialer proxy error", ""},
    {"error in remotedialer server", ""},
    {"Failed to connect to proxy", ""},
    {"Unable to watch for tunnel", ""},
    {"Failed to validate connection", ""},
    // What asks before the API is there, and asks again.
    {"runtime core not ready", ""},
    {"Waiting to retrieve", ""},
    {"Unable to set control-plane role label", ""},
    {"Failed to list nodes with etcd role", ""},
}};

/// less: it has a level, and says of it that it is no failure.
enum class Rank { noise, less, plain, error, fatal };

/// klog: "E1122 11:52:16.123456 …".
bool is_klog(std::string_view line) {
  return line.size() > 6 && std::string_view("IWEF").find(line[0]) != std::string_view::npos &&
         std::all_of(
             line.begin() + 1, line.begin() + 5, [](char c) { return c >= '0' && c <= '9'; }) &&
         line[5] == ' ';
}

Rank rank_of_level(std::string_view level) {
  if (level == "fatal" || level == "panic" || level == "dpanic") {
    return Rank::fatal;
  }
  return level == "error" ? Rank::error : Rank::less;
}

/// "level=warning msg=…"; empty where there is none.
std::string_view level_of(std::string_view line) {
  constexpr std::string_view k_level = "level=";
  const std::size_t at = line.find(k_level);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = line.substr(at + k_level.size());
  return rest.substr(0, rest.find_first_of(k_blank));
}

Rank rank_of(std::string_view line) {
  if (line.empty() || is_noise(line)) {
    return Rank::noise;
  }
  if (holds(line, "Shutdown request received") || line.starts_with("FATA[") ||
      line.starts_with("PANI[") || line.starts_with("panic: ") || line.starts_with("Error:") ||
      line.starts_with("Incorrect Usage")) {
    return Rank::fatal;
  }
  if (line.starts_with("ERRO[")) {
    return Rank::error;
  }
  if (line.starts_with("WARN[") || line.starts_with("INFO[") || line.starts_with("DEBU[")) {
    return Rank::less;
  }
  if (is_klog(line)) {
    return line.front() == 'F' ? Rank::fatal : Rank::less;
  }
  if (line.starts_with('{')) {
    const std::string level = json_text(json_of(line), "level");
    return level.empty() ? Rank::plain : rank_of_level(level);
  }
  const std::string_view level = level_of(line);
  return level.empty() ? Rank::plain : rank_of_level(level);
}

/// The text of msg="…", its escapes undone.
std::string quoted_message(std::string_view text) {
  std::string message;
  for (std::size_t i = 0; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      message.push_back(text[i] == 'n' || text[i] == 't' ? ' ' : text[i]);
    } else {
      message.push_back(text[i]);
    }
  }
  return message;
}

std::string message_of(std::string_view line) {
  constexpr std::string_view k_message = "msg=\"";
  if (const std::size_t at = line.find(k_message); at != std::string_view::npos) {
    return quoted_message(line.substr(at + k_message.size()));
  }
  if (const std::size_t at = line.find("msg="); at != std::string_view::npos) {
    const std::string_view word = line.substr(at + 4); // logrus quotes only where it must
    return std::string(word.substr(0, word.find_first_of(k_blank)));
  }
  if (line.starts_with('{')) {
    if (std::string message = json_text(json_of(line), "msg"); !message.empty()) {
      return message;
    }
  }
  const std::size_t frame = line.find("] "); // "FATA[0002] …" of a terminal
  const bool framed = line.size() > 4 && line[4] == '[' && frame != std::string_view::npos;
  return std::string(framed ? line.substr(frame + 2) : line);
}

bool is_within_character(const std::string& text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
}

/// Cut in the middle, at character boundaries of UTF-8: of a chain of errors the cause stands last,
/// and behind a list of files what is the matter with them.
std::string bounded(std::string text) {
  if (text.size() <= k_words_limit_bytes) {
    return text;
  }
  std::size_t head = k_words_limit_bytes / 3;
  std::size_t tail = text.size() - (k_words_limit_bytes - head);
  while (is_within_character(text, head)) {
    --head;
  }
  while (is_within_character(text, tail)) {
    ++tail;
  }
  return text.substr(0, head) + "…" + text.substr(tail);
}

std::size_t end_of_word(std::string_view text, std::size_t begin) {
  return std::min(text.find_first_of(" \t\"'\\,;)", begin), text.size());
}

/// Each word that begins with `prefix` and holds `inside`, which may be empty.
void replace_words(std::string& text, std::string_view prefix, std::string_view inside) {
  for (std::size_t at = text.find(prefix); at != std::string::npos;
       at = text.find(prefix, at + 1)) {
    const std::size_t length = end_of_word(text, at) - at;
    if (holds(std::string_view(text).substr(at, length), inside)) {
      text.replace(at, length, k_removed);
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

/// zap's JSON: {"level":"info",…,"msg":"saved","path":"/…/X"}.
std::string saved_in_json(std::string_view line) {
  const auto json = json_of(line);
  return json_text(json, "msg") == "saved" ? std::string(base_name(json_text(json, "path")))
                                           : std::string();
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

/// The message of a line, fit to be shown.
std::string words_in(std::string_view line) {
  std::string words = terminal_text(without_secrets(message_of(line)));
  const std::size_t last = words.find_last_not_of(k_blank);
  words.resize(last == std::string::npos ? 0 : last + 1);
  return bounded(std::move(words));
}

} // namespace

bool is_noise(std::string_view line) {
  return std::ranges::any_of(k_noise, [line](const Noise& noise) {
    return holds(line, noise.first) && holds(line, noise.second);
  });
}

std::string last_words(std::string_view output) {
  Rank best = Rank::plain;
  bool logs = false;
  std::string_view chosen;
  while (!output.empty()) {
    const std::string_view line = trimmed(take_line(output));
    const Rank rank = rank_of(line);
    logs = logs || rank == Rank::less;
    if (rank >= best) {
      best = rank;
      chosen = line;
    }
  }
  if (best == Rank::plain && logs) {
    chosen = {}; // what other libraries write into a log, without a frame
  }
  return words_in(chosen);
}

std::string last_attempt(std::string_view output) {
  std::string_view chosen;
  while (!output.empty()) {
    const std::string_view line = trimmed(take_line(output));
    chosen = holds(line, "Failed to test ") ? line : chosen;
  }
  return words_in(chosen);
}

std::string_view since_last_start(std::string_view log) {
  const std::size_t start = log.rfind("Starting k3s ");
  if (start == std::string_view::npos) {
    return log;
  }
  const std::size_t line = log.rfind('\n', start);
  return log.substr(line == std::string_view::npos ? 0 : line + 1);
}

std::string without_secrets(std::string_view text) {
  std::string clean(text);
  replace_words(clean, "K10", "::");
  replace_url_password(clean);
  replace_words(clean, "AGE-SECRET-KEY-", "");
  return clean;
}

std::vector<std::string> saved_names(std::string_view output) {
  std::vector<std::string> names;
  while (!output.empty()) {
    const std::string_view line = trimmed(take_line(output));
    std::string name = line.starts_with('{') ? saved_in_json(line) : saved_in_text(line);
    if (!name.empty() && std::ranges::find(names, name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

std::string last_words(const ProcessResult& result) {
  std::string words = last_words(result.err);
  return words.empty() ? last_words(result.out) : words;
}

std::string how_it_ended(const ProcessResult& result) {
  return result.signal != 0 ? "ended by signal " + std::to_string(result.signal)
                            : "exit status " + std::to_string(result.exit_status);
}

} // namespace rb::k3s
