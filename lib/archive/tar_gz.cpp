#include "archive/tar_gz.hpp"

#include "archive/entry_path.hpp"
#include "base/secret_bytes.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <set>

namespace rb::archive {

namespace {

// POSIX.1-2017, pax, "ustar Interchange Format": two records of zeros end a tar.
constexpr std::size_t k_record_bytes = k_tar_record_bytes;
constexpr std::size_t k_end_bytes = 2 * k_record_bytes;
/// Of a mode, what is kept: no set-id and no sticky bits.
constexpr unsigned k_mode_mask = 0777;

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
    // libarchive takes one of before for its own, and a name that it cannot convert for a full
    // memory.
    errno = 0;
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

namespace {

// The writer makes pax tar (POSIX.1-2017, pax, "ustar Interchange Format" and "pax Interchange
// Format"). By hand, and not by libarchive: its tar writer needs the table of all its formats,
// which brings libxml2, nettle, lzma and bzip2 into a static program, and its output changes with
// its version and with the locale.

constexpr std::size_t k_name_bytes = 100;
constexpr std::size_t k_prefix_bytes = 155;
constexpr std::int64_t k_octal_limit = std::int64_t{1} << 33U; // 11 octal digits: size and time

using Record = std::array<char, k_record_bytes>;

void put(Record& record, std::size_t offset, std::string_view text) {
  std::copy(text.begin(), text.end(), record.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// `digits` octal digits with leading zeros; the byte behind them stays NUL.
void put_octal(Record& record, std::size_t offset, std::size_t digits, std::uint64_t value) {
  for (std::size_t i = digits; i-- > 0; value >>= 3U) {
    record[offset + i] = static_cast<char>('0' + (value & 7U));
  }
}

struct SplitPath {
  std::string_view prefix;
  std::string_view name;
};

/// As the header can hold it, or nothing when it is too long.
std::optional<SplitPath> split(std::string_view path) {
  if (path.size() <= k_name_bytes) {
    return SplitPath{{}, path};
  }
  const std::size_t slash = path.rfind('/', k_prefix_bytes);
  if (slash == std::string_view::npos || path.size() - slash - 1 > k_name_bytes) {
    return std::nullopt;
  }
  return SplitPath{path.substr(0, slash), path.substr(slash + 1)};
}

Record make_header(SplitPath path, char type, const Entry& entry, std::size_t size) {
  Record record{};
  put(record, 0, path.name);
  put_octal(record, 100, 7, entry.mode);
  put_octal(record, 108, 7, 0);
  put_octal(record, 116, 7, 0);
  put_octal(record, 124, 11, size);
  put_octal(record, 136, 11, static_cast<std::uint64_t>(entry.mtime.time_since_epoch().count()));
  put(record, 148, "        ");
  record[156] = type;
  put(record, 257, "ustar");
  put(record, 263, "00");
  put(record, 345, path.prefix);
  std::uint64_t sum = 0;
  for (const char byte : record) {
    sum += static_cast<std::uint8_t>(byte);
  }
  put_octal(record, 148, 6, sum);
  record[154] = '\0';
  return record;
}

void append_padded(SecretBuffer& tar, std::string_view content) {
  tar.append(content);
  tar.append((k_record_bytes - content.size() % k_record_bytes) % k_record_bytes, '\0');
}

void append_record(SecretBuffer& tar, const Record& record) {
  tar.append(std::string_view(record.data(), record.size()));
}

/// "<length> path=<path>\n", where the length counts itself.
std::string pax_path_record(std::string_view path) {
  const std::string body = " path=" + std::string(path) + "\n";
  std::size_t length = body.size();
  while (std::to_string(length).size() + body.size() != length) {
    length = std::to_string(length).size() + body.size();
  }
  return std::to_string(length) + body;
}

void append_entry(SecretBuffer& tar, const Entry& entry) {
  std::optional<SplitPath> path = split(entry.path);
  if (!path) {
    const std::string record = pax_path_record(entry.path);
    append_record(tar, make_header({{}, "pax-header"}, 'x', entry, record.size()));
    append_padded(tar, record);
    path = SplitPath{{}, std::string_view(entry.path).substr(0, k_name_bytes)};
  }
  append_record(tar, make_header(*path, '0', entry, entry.content.size()));
  append_padded(tar, entry.content.text());
}

Status check(const Entry& entry) {
  RB_TRY(check_entry_path(entry.path));
  const std::int64_t seconds = entry.mtime.time_since_epoch().count();
  if ((entry.mode & ~k_mode_mask) != 0 || seconds < 0 || seconds >= k_octal_limit ||
      entry.content.size() >= static_cast<std::size_t>(k_octal_limit)) {
    return Error{ErrorCode::invalid_argument,
                 printable(entry.path) + ": mode, time or size out of range",
                 {}};
  }
  return {};
}

/// No path twice, and none that is the directory of another one.
Status check_tree(std::span<const Entry> entries) {
  std::set<std::string_view> files;
  std::set<std::string_view> directories;
  for (const Entry& entry : entries) {
    const std::string_view path = entry.path;
    if (!files.insert(path).second) {
      return Error{ErrorCode::already_exists, printable(path) + ": given twice", {}};
    }
    for (std::size_t at = path.find('/'); at != std::string_view::npos;
         at = path.find('/', at + 1)) {
      directories.insert(path.substr(0, at));
    }
  }
  for (const std::string_view file : files) {
    if (directories.contains(file)) {
      return Error{ErrorCode::already_exists, printable(file) + ": a file and a directory", {}};
    }
  }
  return {};
}

} // namespace

Bytes tar_header(const std::string& path, std::uint64_t size_bytes) {
  Entry entry;
  entry.mode = 0644;
  const Record record =
      make_header({{}, std::string_view(path).substr(0, k_name_bytes)}, '0', entry, size_bytes);
  return {record.begin(), record.end()};
}

Result<SecretBytes> write_tar_gz(std::span<const Entry> entries) {
  std::size_t expected = k_end_bytes;
  for (const Entry& entry : entries) {
    RB_TRY(check(entry));
    expected += entry.content.size() + 2 * k_record_bytes;
  }
  RB_TRY(check_tree(entries));
  SecretBuffer tar(expected);
  for (const Entry& entry : entries) {
    append_entry(tar, entry);
  }
  tar.append(k_end_bytes, '\0');
  return gzip(tar.view());
}

} // namespace rb::archive
