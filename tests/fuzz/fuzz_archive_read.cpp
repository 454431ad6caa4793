// A tar file from a stranger (packed here, so that the checksum of gzip does not end each try):
// every path is safe, every limit holds, and what was read can be written again.
#include "archive/entry_path.hpp"
#include "archive/tar_gz.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace rb;

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t k_record_bytes = 512;
  Bytes tar(data, data + size);
  tar.resize((size + k_record_bytes - 1) / k_record_bytes * k_record_bytes + 2 * k_record_bytes);
  const archive::Limits limits{
      .max_entries = 50, .max_entry_bytes = 100'000, .gzip = {.max_bytes = 1U << 20U}};
  const auto read = archive::read_tar_gz(archive::gzip(tar)->view(), limits);
  if (!read) {
    require(!read.error().message.empty());
    return 0;
  }
  require(read->size() <= limits.max_entries);
  bool writable = true;
  for (const archive::Entry& entry : *read) {
    require(archive::check_entry_path(entry.path).has_value());
    require(entry.content.size() <= limits.max_entry_bytes && entry.mode <= 0777);
    const auto seconds = entry.mtime.time_since_epoch().count();
    writable = writable && seconds >= 0 && seconds < (std::int64_t{1} << 33U);
  }
  const auto written = archive::write_tar_gz(*read);
  if (written) {
    const auto again = archive::read_tar_gz(written->view());
    require(again.has_value() && again->size() == read->size());
    for (std::size_t i = 0; i < read->size(); ++i) {
      require((*again)[i].path == (*read)[i].path);
      require((*again)[i].content.text() == (*read)[i].content.text());
    }
  } else {
    // A file that is the directory of another one, or a time that our header does not hold.
    require(written.error().code == ErrorCode::already_exists || !writable);
  }
  return 0;
}
