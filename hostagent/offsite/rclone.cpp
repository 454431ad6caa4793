#include "offsite/rclone.hpp"

#include "offsite/rclone_words.hpp"

#include "base/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

namespace rb::offsite {

namespace {

constexpr std::uint64_t k_block_bytes = 4096;

/// A new file of at most so many bytes, counted as they come: nobody over there fills this disk.
class BoundedFile {
public:
  /// Mode 0600; never through a link. Errors: already_exists, those of open(2).
  [[nodiscard]] static Result<BoundedFile> create(const std::string& path,
                                                  std::uint64_t limit_bytes);

  /// False: nothing more is taken, because it would be too much or could not be written.
  [[nodiscard]] bool take(std::string_view bytes);

  /// Errors: those of write(2).
  [[nodiscard]] const Status& written() const { return m_written; }

private:
  BoundedFile(Fd fd, std::string path, std::uint64_t limit_bytes)
      : m_fd(std::move(fd)), m_path(std::move(path)), m_left_bytes(limit_bytes) {}

  Fd m_fd;
  std::string m_path;
  std::uint64_t m_left_bytes;
  Status m_written;
};

Result<BoundedFile> BoundedFile::create(const std::string& path, std::uint64_t limit_bytes) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return system_error(errno, path + ": open");
  }
  return BoundedFile(std::move(fd), path, limit_bytes);
}

bool BoundedFile::take(std::string_view bytes) {
  if (!m_written || bytes.size() > m_left_bytes) {
    return false;
  }
  m_left_bytes -= bytes.size();
  while (!bytes.empty()) {
    const ssize_t done = ::write(m_fd.get(), bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done < 0) {
      m_written = system_error(errno, m_path + ": write");
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

/// The size of all files below `directory`, each counted with a block at least. What cannot be read
/// counts for nothing.
std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t total = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(directory, error), end;
       !error && entry != end;
       entry.increment(error)) {
    std::error_code gone; // rclone renames what has come
    const std::uint64_t size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
    total += gone ? k_block_bytes : std::max(size, k_block_bytes);
  }
  return total;
}

/// Longer than rclone waits, and tries once more: it says what it waited for.
constexpr std::chrono::seconds k_shortest{900};
/// The slowest line that is waited for; rclone itself gives up on one that stands still.
constexpr std::uint64_t k_slowest_bytes_per_second = 16U << 10U;
/// A listing of some 300,000 files.
constexpr std::size_t k_output_limit_bytes = 32U << 20U;
constexpr std::uint64_t k_names_limit_bytes = std::uint64_t{1} << 20U;

std::chrono::seconds patience(std::uint64_t bytes) {
  return k_shortest + std::chrono::seconds(bytes / k_slowest_bytes_per_second);
}

/// Few connections and small buffers: nobody waits for this, and the node has other work. Retries
/// are ours, with pauses that rclone cannot make. A server may be silent for as long as Nextcloud
/// wants clients to wait: before it answers it puts a file's pieces together, copies or scans it.
constexpr std::array<const char*, 9> k_common{"--ask-password=false",
                                              "--retries=1",
                                              "--low-level-retries=2",
                                              "--contimeout=15s",
                                              "--timeout=5m",
                                              "--stats=0",
                                              "--transfers=2",
                                              "--checkers=2",
                                              "--buffer-size=1M"};

std::map<std::string, std::string> environment_of(const RcloneSettings& settings) {
  std::map<std::string, std::string> environment = settings.environment;
  if (!settings.config_file.empty()) {
    environment["RCLONE_CONFIG"] = settings.config_file;
  } else if (!environment.contains("HOME")) {
    // Else rclone looks for a place of its own, and makes it.
    environment.try_emplace("RCLONE_CONFIG", "/nonexistent/rclone.conf");
  }
  environment.try_emplace("HOME", "/nonexistent");
  if (!settings.ca_file.empty()) {
    environment["SSL_CERT_FILE"] = settings.ca_file;
  }
  return environment;
}

/// One a line, for rclone.
Status write_names(const std::vector<RemoteFile>& files, const std::string& path) {
  RB_TRY_ASSIGN(BoundedFile target, BoundedFile::create(path, k_names_limit_bytes));
  std::string text;
  for (const RemoteFile& file : files) {
    text += file.name + "\n";
  }
  const bool taken = target.take(text);
  RB_TRY(target.written());
  return taken ? Status() : Status(Error{ErrorCode::unsupported, path + ": too many names", {}});
}

/// Each of these is asked of a remote that was listed a moment ago.
constexpr const char* k_may_not_write =
    "the remote could be listed, so user and password are right: may this user or key write "
    "there? a key of S3 that may not create buckets needs no_check_bucket = true in rclone.conf";
constexpr const char* k_may_not_read =
    "the remote could be listed, so user and password are right: may this user or key read "
    "there? what cannot be read back does not count as copied";
constexpr const char* k_may_not_remove =
    "this user or key may not remove anything over there (object lock, a key that only writes): "
    "give it that right, or set offsite.keepLast=0 and let a rule of the provider remove the "
    "oldest";

Error explained(Error error, const char* denied) {
  if (error.hint == k_look_at_password) {
    error.hint = denied;
  }
  return error;
}

Error too_much(const std::string& what, std::uint64_t limit_bytes) {
  return {ErrorCode::corrupt,
          what + ": the other side sends more than the " + std::to_string(limit_bytes) +
              " bytes that it may have: stopped",
          "who runs the remote changed it, or it is damaged; choose another set: "
          "railiance-restore list --remote"};
}

} // namespace

Status check_remote(const std::string& remote) {
  const std::size_t colon = remote.find(':');
  const auto bad = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  const std::string name = remote.substr(0, colon);
  if (colon == std::string::npos || name.empty() || name.front() == '-' ||
      name.find_first_of(",/='\"") != std::string::npos || std::ranges::any_of(remote, bad)) {
    return Error{ErrorCode::invalid_argument,
                 "the remote is not of the form NAME:PATH",
                 "NAME is a section of rclone.conf, for example nextcloud:backups/cluster; "
                 "passwords belong into that file only"};
  }
  return {};
}

RcloneStore::RcloneStore(ProcessRunner& processes, RcloneSettings settings)
    : m_processes(processes), m_settings(std::move(settings)) {}

std::string RcloneStore::path_of(const std::string& name) const {
  const bool joined = m_settings.remote.ends_with(':') || m_settings.remote.ends_with('/');
  return m_settings.remote + (joined ? "" : "/") + name;
}

ProcessSpec RcloneStore::spec_of(std::vector<std::string> arguments, std::uint64_t bytes) const {
  ProcessSpec spec;
  spec.program = m_settings.program;
  spec.arguments = std::move(arguments);
  spec.arguments.insert(spec.arguments.end(), k_common.begin(), k_common.end());
  if (!m_settings.bandwidth_limit.empty()) {
    spec.arguments.push_back("--bwlimit=" + m_settings.bandwidth_limit);
  }
  spec.environment = environment_of(m_settings);
  spec.timeout = patience(bytes);
  spec.output_limit_bytes = k_output_limit_bytes;
  return spec;
}

/// A program that was refused is no failure of its own: the caller knows why.
Result<ProcessResult>
RcloneStore::start(const ProcessSpec& spec, const std::string& subject, std::stop_token stop) {
  auto result = m_processes.run(spec, std::move(stop));
  if (!result) {
    if (result.error().code != ErrorCode::cancelled) {
      result.error().hint = "install rclone, or say where it is";
      if (result.error().code == ErrorCode::not_found) {
        result.error().code = ErrorCode::unsupported; // not_found speaks of the remote's files
      }
    }
    return std::move(result).error();
  }
  if (result->refused) {
    return result;
  }
  if (auto failure = rclone_failure(*result, subject)) {
    const bool away =
        failure->code == ErrorCode::unavailable || failure->code == ErrorCode::timeout;
    if (away && failure->hint.empty() && m_settings.unreachable_hint) {
      failure->hint = m_settings.unreachable_hint(result->err);
    }
    return *std::move(failure);
  }
  return result;
}

Result<std::string> RcloneStore::run(std::vector<std::string> arguments,
                                     const std::string& subject,
                                     std::uint64_t bytes,
                                     std::stop_token stop) {
  RB_TRY_ASSIGN(ProcessResult result,
                start(spec_of(std::move(arguments), bytes), subject, std::move(stop)));
  return std::move(result.out);
}

Result<std::vector<RemoteFile>> RcloneStore::list(std::stop_token stop) {
  auto text = run({"lsjson", "--files-only", "--no-modtime", "--no-mimetype", m_settings.remote},
                  m_settings.remote,
                  0,
                  std::move(stop));
  if (!text && text.error().code == ErrorCode::not_found) {
    return std::vector<RemoteFile>{};
  }
  if (!text) {
    return std::move(text).error();
  }
  return parse_listing(*text);
}

Status
RcloneStore::put(const std::string& local_path, const RemoteFile& file, std::stop_token stop) {
  const std::string target = path_of(file.name);
  // --ignore-times: sent although something of the same size and time is there.
  auto sent = run(
      {"copyto", "--ignore-times", local_path, target}, target, file.size_bytes, std::move(stop));
  return sent ? Status() : Status(explained(std::move(sent).error(), k_may_not_write));
}

Result<std::string> RcloneStore::sha256(const RemoteFile& file, std::stop_token stop) {
  const std::string target = path_of(file.name);
  // --download: by what comes back, whatever hashes the other side claims or lacks.
  const auto text =
      run({"hashsum", "sha256", "--download", target}, target, file.size_bytes, std::move(stop));
  if (!text) {
    return explained(text.error(), k_may_not_read);
  }
  auto digest = parse_sha256(*text);
  return digest ? std::move(digest) : Result<std::string>(std::move(digest).error().within(target));
}

Status
RcloneStore::get(const RemoteFile& file, const std::string& local_path, std::stop_token stop) {
  const std::string source = path_of(file.name);
  RB_TRY_ASSIGN(BoundedFile target, BoundedFile::create(local_path, file.size_bytes));
  ProcessSpec spec = spec_of({"cat", source}, file.size_bytes);
  spec.on_output = [&target](std::string_view bytes) { return target.take(bytes); };
  RB_TRY_ASSIGN(const ProcessResult result, start(spec, source, std::move(stop)));
  RB_TRY(target.written());
  return result.refused ? too_much(source, file.size_bytes) : Status();
}

Status RcloneStore::get_small(const std::vector<RemoteFile>& files,
                              const std::string& local_path,
                              std::stop_token stop) {
  const std::string names = local_path + "/.names";
  RB_TRY(write_names(files, names));
  ProcessSpec spec = spec_of(
      {"copy", "--max-depth=1", "--files-from-raw=" + names, m_settings.remote, local_path}, 0);
  // Sizes are what the other side says of its files.
  spec.go_on = [&local_path] { return bytes_below(local_path) <= k_batch_limit_bytes; };
  auto result = start(spec, m_settings.remote, std::move(stop));
  if (!result && result.error().code == ErrorCode::no_space) { // what comes fills no remote
    return Error{ErrorCode::io,
                 local_path + ": no room for manifests: " + result.error().message,
                 "free space where temporary files are (TMPDIR)"};
  }
  if (!result) {
    return std::move(result).error();
  }
  return result->refused ? too_much(m_settings.remote + ": manifests", k_batch_limit_bytes)
                         : Status();
}

Status RcloneStore::remove(const std::string& name, std::stop_token stop) {
  const std::string target = path_of(name);
  auto removed = run({"deletefile", target}, target, 0, std::move(stop));
  if (removed || removed.error().code == ErrorCode::not_found) {
    return {};
  }
  return explained(std::move(removed).error(), k_may_not_remove);
}

} // namespace rb::offsite
