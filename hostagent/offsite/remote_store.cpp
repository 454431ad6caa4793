#include "offsite/remote_store.hpp"

#include "set/manifest.hpp"
#include "set/names.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
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

} // namespace

bool is_listed(const RemoteFile& wanted, const std::vector<RemoteFile>& there) {
  return std::ranges::find(there, wanted) != there.end();
}

Result<set::Directory> open_remote(RemoteStore& remote, std::stop_token stop) {
  RB_TRY_ASSIGN(auto files, remote.list(stop));
  std::map<std::string, std::string> manifests;
  if (std::ranges::any_of(files, is_catalogue)) {
    RB_TRY_ASSIGN(const auto temporary, PrivateDirectory::make());
    RB_TRY(remote.get_manifests(temporary.path(), stop));
    for (const RemoteFile& file : files) {
      if (!is_catalogue(file)) {
        continue;
      }
      auto text = read_text_file(temporary.path() + "/" + file.name, set::k_manifest_limit_bytes);
      if (text) {
        manifests.emplace(file.name, *std::move(text));
      } // else its set is listed as damaged
    }
  }
  return set::Directory(std::make_unique<RemoteFs>(std::move(files), std::move(manifests)),
                        remote.name());
}

} // namespace rb::offsite
