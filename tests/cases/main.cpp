// rb_cases [DIRECTORY]: checks every input of a directory, one line each, and ends with
// "N passed, N failed". Exit code 0: all are right. An input of a kind that has no check is listed.
#include "cases/cases.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <vector>

namespace fs = std::filesystem;

namespace rb::cases {

std::string contents_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    std::cerr << "rb_cases: " << file.string() << ": cannot be read\n";
    std::exit(2);
  }
  return {std::istreambuf_iterator<char>(stream), {}};
}

namespace {

/// One for each node of a cluster; a host's own files are further down.
bool has_yaml_files(const fs::path& path) {
  if (!fs::is_directory(path)) {
    return false;
  }
  const fs::directory_iterator files(path);
  return std::any_of(begin(files), end(files), [](const fs::directory_entry& entry) {
    return entry.path().extension() == ".yaml";
  });
}

std::optional<Verdict> check(const fs::path& path) {
  const std::string name = path.filename().string();
  const std::string extension = path.extension().string();
  if (name.starts_with('h') && extension == ".json") {
    return check_helm(path);
  }
  if (name.starts_with('s') && extension == ".yaml") {
    return check_sops(path);
  }
  if (name.starts_with('u') && has_yaml_files(path)) {
    return check_roles(path);
  }
  if (name.starts_with('o') && extension == ".yaml") {
    return check_values(path);
  }
  if (name.starts_with("u10") && fs::is_directory(path / "etc")) {
    return check_new_host(path);
  }
  if (name.starts_with("u0") && fs::is_directory(path / "etc")) {
    return check_host(path);
  }
  return std::nullopt;
}

int run(const fs::path& directory) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(directory)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  int passed = 0;
  int failed = 0;
  for (const fs::path& path : paths) {
    const std::string name = path.filename().string();
    const auto verdict = check(path);
    if (!verdict) {
      std::cout << "-     " << name << ": no check of this program\n";
      continue;
    }
    (verdict->right ? passed : failed) += 1;
    std::cout << (verdict->right ? "right " : "WRONG ") << name << ": " << verdict->said << '\n';
  }
  std::cout << passed << " passed, " << failed << " failed\n";
  return failed == 0 && passed > 0 ? 0 : 1;
}

} // namespace

} // namespace rb::cases

int main(int argc, char** argv) {
  return rb::cases::run(argc > 1 ? fs::path(argv[1])
                                 : fs::path(RB_SOURCE_DIR "/tests/cases/inputs"));
}
