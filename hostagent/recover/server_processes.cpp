#include "recover/server_processes.hpp"

#include "archive/entry_path.hpp"
#include "base/fd.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace rb::recover {

namespace {

namespace fs = std::filesystem;

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

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  return path;
}

} // namespace

bool is_server(std::string_view command_line, const std::string& data_dir) {
  const std::vector<std::string> words = words_of(command_line);
  if (words.empty()) {
    return false;
  }
  const std::string program = fs::path(words.front()).filename().string();
  const bool server = program == "k3s-server" ||
                      (program.starts_with("k3s") && words.size() > 1 && words[1] == "server");
  const std::string own = without_slash(data_dir_of(words));
  return server && (own.empty() || own == without_slash(data_dir));
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
    const auto command = read_text_file(it->path().string() + "/cmdline", k_command_limit_bytes);
    if (!command || !is_server(*command, data_dir)) {
      continue; // ended meanwhile, or another program
    }
    std::error_code unreadable;
    const fs::path its = fs::read_symlink(it->path() / "ns/pid", unreadable);
    if (!unreadable && !here.empty() && its != here) {
      continue;
    }
    std::string text = *command;
    std::replace(text.begin(), text.end(), '\0', ' ');
    found.push_back({std::stoi(name), archive::printable(text.substr(0, text.find(" --")))});
  }
  return found;
}

} // namespace rb::recover
