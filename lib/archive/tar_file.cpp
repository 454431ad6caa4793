#include "archive/tar_file.hpp"

#include "base/open_beneath.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <fcntl.h>

#include <cerrno>
#include <memory>

namespace rb::archive {

namespace {

constexpr std::size_t k_block_bytes = std::size_t{64} * 1024;

struct FreeReader {
  void operator()(struct archive* reader) const { archive_read_free(reader); }
};

Error corrupt(const std::string& path, std::string_view why) {
  return {ErrorCode::corrupt, path + ": " + std::string(why), {}};
}

Result<std::string>
read_content(struct archive* reader, std::size_t size, const std::string& path) {
  std::string content(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const la_ssize_t count = archive_read_data(reader, content.data() + done, size - done);
    if (count <= 0) {
      return corrupt(path, "the archive ends early");
    }
    done += static_cast<std::size_t>(count);
  }
  return content;
}

} // namespace

Result<std::map<std::string, std::string>> read_small_files(const std::string& path,
                                                            const SmallFileLimits& limits) {
  RB_TRY_ASSIGN(const Fd file, open_regular(path));
  const std::unique_ptr<struct archive, FreeReader> reader(archive_read_new());
  if (reader == nullptr || archive_read_support_format_tar(reader.get()) != ARCHIVE_OK ||
      archive_read_open_fd(reader.get(), file.get(), k_block_bytes) != ARCHIVE_OK) {
    return corrupt(path, "not a tar archive");
  }
  std::map<std::string, std::string> files;
  std::size_t total = 0;
  for (std::size_t entries = 0;; ++entries) {
    archive_entry* header = nullptr;
    errno = 0; // as in tar_gz.cpp: libarchive takes an error of before for its own
    const int code = archive_read_next_header(reader.get(), &header);
    if (code == ARCHIVE_EOF) {
      break;
    }
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
      return corrupt(path,
                     entries == 0 ? "not a tar archive" : "the archive is damaged or cut off");
    }
    if (entries == limits.max_entries) {
      return Error{ErrorCode::unsupported, path + ": too many entries", {}};
    }
    const char* const name = archive_entry_pathname(header);
    const la_int64_t size = archive_entry_size(header);
    const bool regular = archive_entry_filetype(header) == AE_IFREG && name != nullptr && size >= 0;
    if (!regular || static_cast<std::uint64_t>(size) > limits.max_file_bytes) {
      continue;
    }
    total += static_cast<std::size_t>(size);
    if (total > limits.max_total_bytes) {
      return Error{ErrorCode::unsupported, path + ": too many small files", {}};
    }
    RB_TRY_ASSIGN(files[name], read_content(reader.get(), static_cast<std::size_t>(size), path));
  }
  return files;
}

} // namespace rb::archive
