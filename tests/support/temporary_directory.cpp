#include "support/temporary_directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace rb::test {

TemporaryDirectory::TemporaryDirectory() {
  char name[] = "/tmp/railiance-test-XXXXXX";
  if (::mkdtemp(name) == nullptr) {
    std::abort();
  }
  m_path = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(m_path, ignored);
}

std::string TemporaryDirectory::file(std::string_view name) const {
  return m_path + "/" + std::string(name);
}

void write_file(const std::string& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) {
    std::abort();
  }
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::abort();
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string mode_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return "none";
  }
  char text[16];
  std::snprintf(text, sizeof text, "%o", status.st_mode & 07777U);
  return text;
}

} // namespace rb::test
