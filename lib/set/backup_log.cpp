#include "set/backup_log.hpp"

#include "set/names.hpp"
#include "terminal/terminal_text.hpp"

#include <algorithm>

namespace rb::set {

namespace {

constexpr std::size_t k_message_limit = 1024;
constexpr std::uint64_t k_tail_bytes = 64U << 10U;

bool is_plain(std::string_view value) {
  return !value.empty() &&
         value.find_first_of(std::string_view(" \"\\=", 4)) == std::string_view::npos;
}

/// `value` on one line, in quotes where it needs them.
std::string quoted(std::string_view value) {
  const std::string clean = terminal_text(value, k_message_limit);
  if (is_plain(clean)) {
    return clean;
  }
  std::string text = "\"";
  for (const char character : clean) {
    if (character == '"' || character == '\\') {
      text.push_back('\\');
    }
    text.push_back(character);
  }
  return text + "\"";
}

void put(std::string& text, std::string_view key, std::string_view value) {
  text.append(" ").append(key).append("=").append(quoted(value));
}

/// Makes room when the log is full.
Status rotate(Directory& directory) {
  const std::string name(k_log_name);
  const auto file = directory.fs().open_read(name);
  if (!file) {
    return file.error().code == ErrorCode::not_found ? Status() : Status(file.error());
  }
  RB_TRY_ASSIGN(const std::uint64_t size_bytes, (*file)->size());
  return size_bytes < k_log_limit_bytes
             ? Status()
             : directory.fs().rename_over(name, std::string(k_old_log_name));
}

/// A full disk, or a power cut, left the beginning of a line.
bool ends_within_a_line(Directory& directory) {
  const auto file = directory.fs().open_read(std::string(k_log_name));
  const auto size_bytes = file ? (*file)->size() : Result<std::uint64_t>(file.error());
  Bytes last(1);
  const bool read = size_bytes && *size_bytes > 0 && (*file)->read_at(*size_bytes - 1, last);
  return read && last.front() != '\n';
}

/// The end of the file; empty when there is none.
Result<std::string> tail_of(Directory& directory, std::string_view name) {
  const auto file = directory.fs().open_read(std::string(name));
  if (!file) {
    return file.error().code == ErrorCode::not_found ? Result<std::string>(std::string())
                                                     : Result<std::string>(file.error());
  }
  RB_TRY_ASSIGN(const std::uint64_t size_bytes, (*file)->size());
  Bytes buffer(static_cast<std::size_t>(std::min(size_bytes, k_tail_bytes)));
  RB_TRY_ASSIGN(const std::size_t got, (*file)->read_at(size_bytes - buffer.size(), buffer));
  return std::string(as_text(ByteView(buffer).first(got)));
}

std::optional<LogLine> last_line_in(std::string_view text, std::string_view action) {
  while (!text.empty()) {
    text.remove_suffix(text.ends_with('\n') ? 1 : 0);
    const auto begin = text.rfind('\n');
    const std::size_t from = begin == std::string_view::npos ? 0 : begin + 1;
    auto line = parse_log_line(text.substr(from));
    if (line && line->action == action) {
      return line;
    }
    text = text.substr(0, from);
  }
  return std::nullopt;
}

/// The value of ` key=`, up to the next blank.
std::string word_after(std::string_view line, std::string_view key) {
  const auto begin = line.find(key);
  if (begin == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = line.substr(begin + key.size());
  return std::string(rest.substr(0, rest.find(' ')));
}

} // namespace

std::optional<LogLine> parse_log_line(std::string_view line) {
  const auto first = line.find(' ');
  if (first == std::string_view::npos) {
    return std::nullopt;
  }
  const auto time = parse_rfc3339(line.substr(0, first));
  const std::string_view rest = line.substr(first + 1);
  const auto second = rest.find(' ');
  if (!time || second == std::string_view::npos) {
    return std::nullopt;
  }
  // The message for people comes last and may hold anything.
  const std::string_view facts = rest.substr(second, rest.find(" message=") - second);
  LogLine parsed;
  parsed.time = *time;
  parsed.action = std::string(rest.substr(0, second));
  parsed.result = word_after(facts, " result=");
  parsed.run_id = word_after(facts, " run=");
  return parsed.result.empty() ? std::nullopt : std::optional<LogLine>(std::move(parsed));
}

Result<std::optional<LogLine>> read_last_line(Directory& directory, std::string_view action) {
  for (const std::string_view name : {k_log_name, k_old_log_name}) {
    RB_TRY_ASSIGN(const std::string text, tail_of(directory, name));
    if (auto line = last_line_in(text, action)) {
      return line;
    }
  }
  return std::optional<LogLine>{};
}

Result<bool> has_line(Directory& directory, std::string_view action, std::string_view run_id) {
  for (const std::string_view name : {k_log_name, k_old_log_name}) {
    RB_TRY_ASSIGN(const std::string text, tail_of(directory, name));
    for (std::string_view rest = text; !rest.empty();) {
      const auto end = std::min(rest.find('\n'), rest.size());
      const auto line = parse_log_line(rest.substr(0, end));
      if (line && line->action == action && line->run_id == run_id) {
        return true;
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return false;
}

std::string format_log_line(const LogLine& line) {
  std::string text = format_rfc3339(line.time) + " " + line.action;
  put(text, "result", line.result);
  if (!line.run_id.empty()) {
    put(text, "run", line.run_id);
  }
  for (const auto& [key, value] : line.fields) {
    put(text, key, value);
  }
  if (!line.message.empty()) {
    put(text, "message", line.message);
  }
  return text + "\n";
}

Status append_log(Directory& directory, const LogLine& line) {
  RB_TRY(rotate(directory));
  RB_TRY_ASSIGN(const std::unique_ptr<File> file,
                directory.fs().open_append(std::string(k_log_name)));
  const std::string end_of_the_torn = ends_within_a_line(directory) ? "\n" : "";
  RB_TRY(file->write(as_bytes(end_of_the_torn + format_log_line(line))));
  RB_TRY(file->sync());
  RB_TRY(file->close());
  return directory.fs().sync_directory();
}

} // namespace rb::set
