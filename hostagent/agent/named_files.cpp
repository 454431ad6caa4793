#include "agent/named_files.hpp"

#include "k3s/named_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace rb::agent {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_below_limit = 200; ///< Files of one named directory.

std::string in_archive(const std::string& path) {
  return path.substr(std::min(path.find_first_not_of('/'), path.size()));
}

/// Up to one more than the limit.
std::size_t files_below(const std::string& directory) {
  std::size_t count = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end;
       !error && it != end && count <= k_below_limit;
       it.increment(error)) {
    ++count;
  }
  return count;
}

void skip(FileCollector& files, const k3s::NamedFile& named, const std::string& why) {
  files.skip(in_archive(named.path), why + "; named by " + named.by);
}

void add_named(FileCollector& files, const MountedFiles& mounted, const k3s::NamedFile& named) {
  const std::string here = mounted.seen_as(named.path);
  struct stat status {};
  if (::lstat(here.c_str(), &status) != 0) {
    skip(files,
         named,
         "not there, or not to be seen by the agent: mount its directory (agent.extraHostPaths of "
         "the chart)");
  } else if (S_ISDIR(status.st_mode) && files_below(here) > k_below_limit) {
    skip(files, named, "a directory of more than " + std::to_string(k_below_limit) + " files");
  } else if (S_ISDIR(status.st_mode)) {
    files.add_tree(here, in_archive(named.path));
  } else if (S_ISREG(status.st_mode)) {
    files.add_file(here, in_archive(named.path));
  } else {
    skip(files, named, "not a regular file: who uses it makes it");
  }
}

} // namespace

void add_named_files(FileCollector& files,
                     const MountedFiles& mounted,
                     const k3s::HostSettings& host,
                     const std::string& data_dir) {
  for (const std::string& path : host.files) {
    files.add_file(path, in_archive(path));
  }
  for (const std::string& place : k3s::operators_places()) {
    const std::string path = data_dir + "/" + place;
    std::error_code ignored;
    if (fs::is_directory(mounted.seen_as(path), ignored)) {
      files.add_tree(path, in_archive(path));
    } else {
      files.add_file(path, in_archive(path));
    }
  }
  for (const k3s::NamedFile& named : k3s::all_named_files(mounted, host.settings, data_dir)) {
    add_named(files, mounted, named);
  }
}

} // namespace rb::agent
