// A fully static program that writes and reads an archive. It links libarchive, zlib and
// libcrypto (which base needs) and nothing else, as railiance-restore must.
#include "archive/tar_gz.hpp"

#include <cstdio>

int main() {
  std::vector<rb::archive::Entry> entries;
  entries.push_back({"directory/name", rb::SecretBytes(rb::as_bytes("content")), 0600, {}});
  const auto bytes = rb::archive::write_tar_gz(entries);
  if (!bytes) {
    std::fprintf(stderr, "%s\n", bytes.error().message.c_str());
    return 1;
  }
  const auto read = rb::archive::read_tar_gz(bytes->view());
  if (!read || read->size() != 1 || read->front().content.text() != "content") {
    std::fprintf(stderr, "the archive does not come back\n");
    return 1;
  }
  std::puts("static archive: written and read");
  return 0;
}
