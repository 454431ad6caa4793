#include "artifact/backup_log.hpp"

#include "artifact/names.hpp"

namespace rb::artifact {

namespace {

constexpr std::size_t k_message_limit = 1024;

bool is_plain(std::string_view value) {
  return !value.empty() &&
         value.find_first_of(std::string_view(" \"\\=", 4)) == std::string_view::npos;
}

/// `value` on one line, in quotes where it needs them.
std::string quoted(std::string_view value) {
  std::string clean;
  for (const char character : value.substr(0, k_message_limit)) {
    const auto byte = static_cast<unsigned char>(character);
    clean.push_back(byte < 0x20 || byte == 0x7f ? ' ' : character);
  }
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

} // namespace

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
  RB_TRY(file->write(as_bytes(format_log_line(line))));
  RB_TRY(file->sync());
  RB_TRY(file->close());
  return directory.fs().sync_directory();
}

} // namespace rb::artifact
