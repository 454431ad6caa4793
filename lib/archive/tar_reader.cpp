#include "archive/entry_path.hpp"
#include "archive/tar_gz.hpp"
#include "archive/tar_layout.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

namespace rb::archive {

namespace {

struct FreeReader {
  void operator()(struct archive* reader) const { archive_read_free(reader); }
};

Error corrupt(std::string message) {
  return {ErrorCode::corrupt, "tar: " + std::move(message), {}};
}

Error refused(std::string_view path, std::string_view why) {
  return {ErrorCode::unsupported, printable(path) + ": " + std::string(why), {}};
}

/// libarchive takes a file without the closing zeros for whole; then its end may have been lost.
bool has_end(ByteView tar) {
  if (tar.size() % k_record_bytes != 0 || tar.size() < k_end_bytes) {
    return false;
  }
  const ByteView end = tar.last(k_end_bytes);
  return std::all_of(end.begin(), end.end(), [](std::uint8_t byte) { return byte == 0; });
}

Result<SecretBytes> read_content(struct archive* reader, std::string_view path, std::size_t size) {
  SecretBytes content(size);
  std::size_t done = 0;
  while (true) {
    const void* block = nullptr;
    std::size_t block_size = 0;
    la_int64_t offset = 0;
    const int code = archive_read_data_block(reader, &block, &block_size, &offset);
    if (code == ARCHIVE_EOF) {
      break;
    }
    if (code != ARCHIVE_OK) {
      return corrupt(printable(path) + " ends early");
    }
    if (offset != static_cast<la_int64_t>(done) || block_size > size - done) {
      return corrupt(printable(path) + " has content beyond its size");
    }
    std::copy_n(static_cast<const std::uint8_t*>(block), block_size, content.data() + done);
    done += block_size;
  }
  if (done != size) {
    return corrupt(printable(path) + " ends early");
  }
  return content;
}

/// Nothing for a directory.
Result<std::optional<Entry>>
read_entry(struct archive* reader, archive_entry* header, const Limits& limits) {
  const char* name = archive_entry_pathname(header);
  if (name == nullptr) {
    name = archive_entry_pathname_utf8(header);
  }
  std::string path = name != nullptr ? name : "";
  const bool directory = archive_entry_filetype(header) == AE_IFDIR;
  if (directory && path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  RB_TRY(check_entry_path(path));
  if (archive_entry_hardlink(header) != nullptr || archive_entry_symlink(header) != nullptr) {
    return refused(path, "a link");
  }
  if (directory) {
    return std::optional<Entry>{};
  }
  if (archive_entry_filetype(header) != AE_IFREG) {
    return refused(path, "a device or another special file");
  }
  if (archive_entry_sparse_count(header) != 0) {
    return refused(path, "a sparse file");
  }
  const la_int64_t size = archive_entry_size(header);
  if (size < 0 || static_cast<std::uint64_t>(size) > limits.max_entry_bytes) {
    return refused(path, "larger than " + std::to_string(limits.max_entry_bytes) + " bytes");
  }
  RB_TRY_ASSIGN(SecretBytes content, read_content(reader, path, static_cast<std::size_t>(size)));
  return std::optional<Entry>(Entry{
      .path = std::move(path),
      .content = std::move(content),
      .mode = archive_entry_perm(header) & k_mode_mask,
      .mtime = SystemTime(std::chrono::seconds(archive_entry_mtime(header))),
  });
}

Result<std::vector<Entry>> read_tar(ByteView tar, const Limits& limits) {
  const std::unique_ptr<struct archive, FreeReader> reader(archive_read_new());
  if (reader == nullptr || archive_read_support_format_tar(reader.get()) != ARCHIVE_OK ||
      archive_read_open_memory(reader.get(), tar.data(), tar.size()) != ARCHIVE_OK) {
    return corrupt("not a tar file");
  }
  std::vector<Entry> entries;
  std::set<std::string> seen;
  for (std::size_t count = 0;; ++count) {
    archive_entry* header = nullptr;
    const int code = archive_read_next_header(reader.get(), &header);
    if (code == ARCHIVE_EOF) {
      return entries;
    }
    // A warning: a name that the locale has no characters for. It is read as bytes then.
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
      return corrupt("damaged header");
    }
    if (count == limits.max_entries) {
      return refused("tar", "more than " + std::to_string(limits.max_entries) + " entries");
    }
    RB_TRY_ASSIGN(auto entry, read_entry(reader.get(), header, limits));
    if (!entry) {
      continue;
    }
    if (!seen.insert(entry->path).second) {
      return corrupt(printable(entry->path) + " appears twice");
    }
    entries.push_back(*std::move(entry));
  }
}

} // namespace

Result<std::vector<Entry>> read_tar_gz(ByteView bytes, const Limits& limits) {
  RB_TRY_ASSIGN(const SecretBytes tar, gunzip(bytes, limits.gzip));
  if (!has_end(tar.view())) {
    return corrupt("it ends early");
  }
  return read_tar(tar.view(), limits);
}

} // namespace rb::archive
