#include "offsite/remote_store.hpp"

#include "set/manifest.hpp"
#include "set/names.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>

namespace rb::offsite {

namespace {

Error read_only(const std::string& name) {
  return {ErrorCode::unsupported, name + ": a remote is only read here", {}};
}

class TextFile final : public File {
public:
  explicit TextFile(std::string text) : m_text(std::move(text)) {}

  Status write(ByteView /*bytes*/) override { return read_only("file"); }
  Result<std::size_t> read(MutableByteView buffer) override {
    RB_TRY_ASSIGN(const std::size_t got, read_at(m_position, buffer));
    m_position += got;
    return got;
  }
  Result<std::size_t> read_at(std::uint64_t offset, MutableByteView buffer) override {
    const std::size_t start = std::min<std::uint64_t>(offset, m_text.size());
    const std::size_t count = std::min(buffer.size(), m_text.size() - start);
    std::copy_n(m_text.data() + start, count, buffer.begin());
    return count;
  }
  Status sync() override { return {}; }
  Status close() override { return {}; }
  Result<std::uint64_t> size() override { return std::uint64_t{m_text.size()}; }

private:
  const std::string m_text;
  std::uint64_t m_position = 0;
};

class RemoteFs final : public Fs {
public:
  RemoteFs(std::vector<RemoteFile> files, std::map<std::string, std::string> manifests)
      : m_files(std::move(files)), m_manifests(std::move(manifests)) {}

  Result<std::unique_ptr<File>> create(const std::string& name) override { return read_only(name); }
  Result<std::unique_ptr<File>> open_append(const std::string& name) override {
    return read_only(name);
  }
  Result<std::unique_ptr<File>> open_read(const std::string& name) override {
    const auto found = m_manifests.find(name);
    if (found == m_manifests.end()) {
      return Error{ErrorCode::not_found, name + ": was not fetched", {}};
    }
    return std::unique_ptr<File>(std::make_unique<TextFile>(found->second));
  }
  Result<std::unique_ptr<File>> open_uncached(const std::string& name) override {
    return open_read(name);
  }
  Status rename_new(const std::string& from, const std::string& /*to*/) override {
    return read_only(from);
  }
  Status rename_over(const std::string& from, const std::string& /*to*/) override {
    return read_only(from);
  }
  Status remove(const std::string& name) override { return read_only(name); }
  Status sync_directory() override { return {}; }
  Result<std::vector<DirectoryEntry>> list() override {
    std::vector<DirectoryEntry> entries;
    for (const RemoteFile& file : m_files) {
      entries.push_back({file.name, true, file.size_bytes});
    }
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    return entries;
  }
  Result<Space> space() override { return Space{}; }

private:
  const std::vector<RemoteFile> m_files;
  const std::map<std::string, std::string> m_manifests;
};

/// Mode 0700, removed with all that is in it. Below TMPDIR, as the operator would have it: the
/// backup directory may not exist yet where a remote is listed, or be read-only or a full disk.
class PrivateDirectory {
public:
  static Result<PrivateDirectory> make() {
    std::error_code unusable; // TMPDIR names no directory
    const std::filesystem::path named = std::filesystem::temp_directory_path(unusable);
    const std::filesystem::path parent = unusable ? "/tmp" : named;
    std::string path = (parent / "railiance-remote-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) {
      return system_error(errno, path + ": mkdtemp");
    }
    return PrivateDirectory(std::move(path));
  }
  ~PrivateDirectory() {
    if (!m_path.empty()) {
      std::error_code ignored;
      std::filesystem::remove_all(m_path, ignored);
    }
  }
  PrivateDirectory(PrivateDirectory&& other) noexcept : m_path(std::exchange(other.m_path, {})) {}
  PrivateDirectory& operator=(PrivateDirectory&&) = delete;
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return m_path; }

private:
  explicit PrivateDirectory(std::string path) : m_path(std::move(path)) {}
  std::string m_path;
};

/// What says what is there: manifests, their signatures, the public keys.
bool is_catalogue(const RemoteFile& file) {
  const set::NameKind kind = set::classify_name(file.name).kind;
  return kind == set::NameKind::manifest || kind == set::NameKind::signature ||
         file.name == set::k_public_key_name || set::old_public_key_id(file.name);
}

constexpr std::uint64_t k_batch_bytes = k_batch_limit_bytes / 3 * 2; ///< As listed.
constexpr std::uint64_t k_block_bytes = 4096;
/// All are in memory at once: of manifests with few others in them some ten thousand, of a host
/// that keeps a thousand sets some hundreds.
constexpr std::uint64_t k_catalogue_limit_bytes = std::uint64_t{64} << 20U;
/// Of these, for public keys.
constexpr std::uint64_t k_keys_bytes = std::uint64_t{1} << 20U;

using Texts = std::map<std::string, std::string>;

std::vector<RemoteFile> catalogue_of(const std::vector<RemoteFile>& files) {
  std::vector<RemoteFile> found;
  std::ranges::copy_if(files, std::back_inserter(found), [](const RemoteFile& file) {
    return is_catalogue(file) && file.size_bytes <= set::k_manifest_limit_bytes;
  });
  return found;
}

/// The run that a file of a set is of; empty: it is of none.
std::string run_of(const RemoteFile& file) {
  set::NameInfo info = set::classify_name(file.name);
  const bool of_set = info.kind == set::NameKind::artifact ||
                      info.kind == set::NameKind::manifest || info.kind == set::NameKind::signature;
  return of_set ? std::move(info.run_id) : std::string();
}

/// Takes the files of sets that are not looked at out of `files`, and says how many sets of those
/// that are wished for that are. The newest others leave no gap between them.
std::size_t leave_out(const RemoteWish& wish, std::vector<RemoteFile>& files) {
  std::map<std::string, std::uint64_t, std::greater<>> to_read; // newest first
  for (const RemoteFile& file : files) {
    const std::string run_id = run_of(file);
    if (!run_id.empty()) {
      to_read[run_id] += is_catalogue(file) && file.size_bytes <= set::k_manifest_limit_bytes
                             ? file.size_bytes
                             : 0;
    }
  }
  std::set<std::string> taken{std::string()};
  std::size_t left_out = 0;
  std::uint64_t total = k_keys_bytes;
  for (const bool named : {true, false}) {
    bool full = !named && !wish.others;
    for (const auto& [run_id, bytes] : to_read) {
      if (wish.run_ids.contains(run_id) != named) {
        continue;
      }
      full = full || total + bytes > k_catalogue_limit_bytes;
      if (full) {
        left_out += named || wish.others ? 1U : 0U;
      } else {
        total += bytes;
        taken.insert(run_id);
      }
    }
  }
  std::erase_if(files, [&](const RemoteFile& file) { return !taken.contains(run_of(file)); });
  return left_out;
}

Status check_size(const RemoteStore& remote, const std::vector<RemoteFile>& catalogue) {
  std::uint64_t total = 0;
  for (const RemoteFile& file : catalogue) {
    total += file.size_bytes;
  }
  return total <= k_catalogue_limit_bytes
             ? Status()
             : Status(Error{ErrorCode::unsupported,
                            remote.name() + ": " + std::to_string(catalogue.size()) +
                                " manifests, signatures and public keys, " +
                                std::to_string(total >> 20U) +
                                " MiB: more than can be read at once",
                            "look at the railiance-backup-*.pub over there, by rclone "
                            "(docs/offsite.md)"});
}

/// How many from `first` on go together.
std::size_t batch_at(const std::vector<RemoteFile>& catalogue, std::size_t first) {
  std::uint64_t total = 0;
  std::size_t end = first;
  for (; end < catalogue.size(); ++end) {
    total += catalogue[end].size_bytes + k_block_bytes;
    if (end > first && total > k_batch_bytes) {
      break;
    }
  }
  return end - first;
}

Status fetch_batch(RemoteStore& remote,
                   const std::vector<RemoteFile>& batch,
                   Texts& texts,
                   std::stop_token stop) {
  RB_TRY_ASSIGN(const auto temporary, PrivateDirectory::make());
  RB_TRY(remote.get_small(batch, temporary.path(), std::move(stop)));
  for (const RemoteFile& file : batch) {
    auto text = read_text_file(temporary.path() + "/" + file.name, set::k_manifest_limit_bytes);
    if (text) {
      texts.emplace(file.name, *std::move(text));
    } // else its set is listed as damaged
  }
  return {};
}

std::uint64_t bytes_of(const Texts& texts) {
  std::uint64_t total = 0;
  for (const auto& [name, text] : texts) {
    total += text.size();
  }
  return total;
}

Result<Texts> read_catalogue(RemoteStore& remote,
                             const std::vector<RemoteFile>& files,
                             const std::stop_token& stop) {
  const std::vector<RemoteFile> catalogue = catalogue_of(files);
  RB_TRY(check_size(remote, catalogue));
  Texts texts;
  for (std::size_t first = 0; first < catalogue.size();) {
    const std::size_t count = batch_at(catalogue, first);
    const auto from = catalogue.begin() + static_cast<std::ptrdiff_t>(first);
    RB_TRY(fetch_batch(remote, {from, from + static_cast<std::ptrdiff_t>(count)}, texts, stop));
    if (bytes_of(texts) > k_catalogue_limit_bytes) {
      return Error{ErrorCode::corrupt,
                   remote.name() + ": manifests: the other side sends more than it lists: stopped",
                   "who runs the remote changed it, or it is damaged: look at what is there"};
    }
    first += count;
  }
  return texts;
}

} // namespace

bool is_listed(const RemoteFile& wanted, const std::vector<RemoteFile>& there) {
  return std::ranges::find(there, wanted) != there.end();
}

Result<RemoteListing>
read_remote(RemoteStore& remote, const RemoteWish& wish, std::stop_token stop) {
  RB_TRY_ASSIGN(auto files, remote.list(stop));
  const std::size_t left_out = leave_out(wish, files);
  RB_TRY_ASSIGN(auto texts, read_catalogue(remote, files, stop));
  return RemoteListing{
      set::Directory(std::make_unique<RemoteFs>(std::move(files), std::move(texts)), remote.name()),
      left_out};
}

Result<set::Directory> open_remote(RemoteStore& remote, std::stop_token stop) {
  RB_TRY_ASSIGN(RemoteListing listing, read_remote(remote, {}, std::move(stop)));
  return std::move(listing.directory);
}

} // namespace rb::offsite
