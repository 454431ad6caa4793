#include "base/path_walk.hpp"

#include <climits>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace rb {

namespace {

constexpr int k_most_links = 40; // as the kernel

bool is_ours(const struct stat& status) {
  return status.st_uid == 0 || status.st_uid == ::geteuid();
}

/// Others cannot put another thing in the place of `entry` in `directory`.
bool holds(const struct stat& directory, const struct stat& entry) {
  const bool open = (directory.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool sticky = (directory.st_mode & S_ISVTX) != 0;
  return is_ours(directory) && (!open || (sticky && is_ours(entry)));
}

class Walk {
public:
  explicit Walk(std::string path) : m_path(std::move(path)) {}

  Result<WalkEnd> run() {
    push(m_path);
    RB_TRY(enter_root());
    while (!m_left.empty()) {
      const std::string name = std::move(m_left.front());
      m_left.pop_front();
      if (name == "..") { // of the real directory: no link is left between
        RB_TRY(enter(name));
        continue;
      }
      RB_TRY_ASSIGN(const Fd entry, look(name));
      struct stat status {};
      if (::fstat(entry.get(), &status) != 0) {
        return system_error(errno, m_path + ": stat");
      }
      note(name, status);
      if (S_ISLNK(status.st_mode)) {
        m_end.weak_link = m_end.weak_link || !m_end.weak.empty();
        RB_TRY(follow(entry));
      } else if (m_left.empty()) {
        m_end.parent = std::move(m_directory);
        m_end.name = name;
        m_end.status = status;
        return std::move(m_end);
      } else {
        RB_TRY(enter(name));
      }
    }
    return Error{ErrorCode::unsupported, m_path + ": not a regular file", {}};
  }

private:
  void push(const std::string& path) {
    std::deque<std::string> parts;
    for (std::size_t begin = 0; begin <= path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      const std::string part = path.substr(begin, end - begin);
      if (!part.empty() && part != ".") {
        parts.push_back(part);
      }
      begin = end + 1;
    }
    m_left.insert(m_left.begin(), parts.begin(), parts.end());
  }

  Status enter_root() {
    RB_TRY_ASSIGN(m_directory, open_file("/", O_PATH | O_DIRECTORY));
    m_shown.clear();
    return ::fstat(m_directory.get(), &m_status) == 0 ? Status() : system_error(errno, "/: stat");
  }

  Result<Fd> look(const std::string& name) {
    const int fd = ::openat(m_directory.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? Result<Fd>(system_error(errno, m_path + ": open")) : Result<Fd>(Fd(fd));
  }

  Status enter(const std::string& name) {
    const int fd =
        ::openat(m_directory.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
      return system_error(errno, m_path + ": open");
    }
    m_directory = Fd(fd);
    m_shown += "/" + name;
    return ::fstat(fd, &m_status) == 0 ? Status() : system_error(errno, m_path + ": stat");
  }

  void note(const std::string& name, const struct stat& entry) {
    if (!m_end.weak.empty()) {
      return;
    }
    if (!holds(m_status, entry)) {
      m_end.weak = m_shown.empty() ? "/" : m_shown;
    } else if (!is_ours(entry)) {
      m_end.weak = m_shown + "/" + name;
    }
  }

  Status follow(const Fd& link) {
    if (++m_links > k_most_links) {
      return system_error(ELOOP, m_path + ": open");
    }
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
    if (size <= 0 || static_cast<std::size_t>(size) == target.size()) {
      return system_error(size < 0 ? errno : ENAMETOOLONG, m_path + ": readlink");
    }
    const std::string text(target.data(), static_cast<std::size_t>(size));
    push(text);
    return text.starts_with('/') ? enter_root() : Status();
  }

  const std::string m_path;
  std::deque<std::string> m_left;
  Fd m_directory;
  struct stat m_status {}; ///< Of the directory.
  std::string m_shown;     ///< Its path, for messages; empty: the root.
  int m_links = 0;
  WalkEnd m_end;
};

} // namespace

Result<WalkEnd> walk_path(const std::string& path) {
  if (!path.starts_with('/')) {
    return Error{ErrorCode::invalid_argument, path + ": not an absolute path", {}};
  }
  return Walk(path).run();
}

} // namespace rb
