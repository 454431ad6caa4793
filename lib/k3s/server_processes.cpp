#include "k3s/server_processes.hpp"

#include "terminal/terminal_text.hpp"

#include "base/fd.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>

namespace rb::k3s {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_shown_bytes = 80;
constexpr std::size_t k_command_limit_bytes = std::size_t{1} << 20U;

std::vector<std::string> words_of(std::string_view command_line) {
  std::vector<std::string> words;
  bool open = false;
  for (const char c : command_line) {
    if (c == '\0' || c == ' ') {
      open = false;
      continue;
    }
    if (!open) {
      words.emplace_back();
      open = true;
    }
    words.back() += c;
  }
  return words;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 10 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
}

std::string data_dir_of(const std::vector<std::string>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    for (const std::string_view flag : {"--data-dir", "-d", "-data-dir"}) {
      if (words[i] == flag && i + 1 < words.size()) {
        return words[i + 1];
      }
      if (words[i].starts_with(std::string(flag) + "=")) {
        return words[i].substr(flag.size() + 1);
      }
    }
  }
  return {};
}

bool says_server(const std::vector<std::string>& words, const std::string& comm) {
  if (comm == "k3s-server") {
    return true;
  }
  const std::string program = words.empty() ? "" : fs::path(words.front()).filename().string();
  return program == "k3s-server" ||
         (program.starts_with("k3s") && words.size() > 1 && words[1] == "server");
}

/// A k3s whose title is being rewritten. Its other commands have names of their own, "k3s-agent".
bool hides_its_command(const std::vector<std::string>& words, const ProcessView& process) {
  return fs::path(process.program).filename().string().starts_with("k3s") &&
         (words.empty() || (words.size() == 1 && words.front().ends_with("k3s"))) &&
         !process.comm.starts_with("k3s-");
}

/// The target of a link in /proc; empty: gone, or not ours to read.
std::string target_of(const fs::path& link) {
  std::error_code error;
  std::string target = fs::read_symlink(link, error).string();
  constexpr std::string_view k_deleted = " (deleted)"; // replaced by an upgrade
  if (target.ends_with(k_deleted)) {
    target.resize(target.size() - k_deleted.size());
  }
  return error ? std::string{} : target;
}

/// k3s works in <data-dir>/server, where db/ is.
std::string data_dir_by_work(const fs::path& entry) {
  std::error_code error;
  const fs::path work = target_of(entry / "cwd");
  const bool ours = work.filename() == "server" && fs::is_directory(entry / "cwd/db", error);
  return ours ? work.parent_path().string() : std::string{};
}

std::string first_line(std::string text) {
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

/// Nothing where the process has ended meanwhile.
std::optional<ProcessView> look_at(const fs::path& entry) {
  auto command = read_text_file((entry / "cmdline").string(), k_command_limit_bytes);
  if (!command) {
    return std::nullopt;
  }
  const auto comm = read_text_file((entry / "comm").string(), k_command_limit_bytes);
  return ProcessView{std::move(*command),
                     comm ? first_line(*comm) : "",
                     target_of(entry / "exe"),
                     data_dir_by_work(entry)};
}

std::string shown(const ProcessView& process) {
  std::string text = process.command_line;
  std::replace(text.begin(), text.end(), '\0', ' ');
  text = text.substr(0, text.find(" --"));
  text.resize(text.find_last_not_of(' ') + 1);
  return terminal_text(text.empty() ? process.program : text, k_shown_bytes);
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  return path;
}

} // namespace

bool is_server(const ProcessView& process, const std::string& data_dir) {
  const std::vector<std::string> words = words_of(process.command_line);
  if (!says_server(words, process.comm) && !hides_its_command(words, process)) {
    return false;
  }
  const std::string named = data_dir_of(words);
  const std::string own = without_slash(named.empty() ? process.data_dir : named);
  return own.empty() || own == without_slash(data_dir);
}

Result<std::vector<ServerProcess>> ProcServerProcesses::find(const std::string& data_dir) {
  std::error_code error;
  const fs::path here = fs::read_symlink(m_proc + "/self/ns/pid", error);
  std::vector<ServerProcess> found;
  fs::directory_iterator it(m_proc, error);
  if (error) {
    return Error{ErrorCode::io, m_proc + ": " + error.message(), {}};
  }
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!is_number(name)) {
      continue;
    }
    const auto process = look_at(it->path());
    if (!process || !is_server(*process, data_dir)) {
      continue;
    }
    std::error_code unreadable;
    const fs::path its = fs::read_symlink(it->path() / "ns/pid", unreadable);
    if (!unreadable && !here.empty() && its != here) {
      continue;
    }
    found.push_back({std::stoi(name), shown(*process)});
  }
  return found;
}

} // namespace rb::k3s
