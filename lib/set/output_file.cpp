#include "set/output_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace rb::set {

namespace {

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Error exists(const std::string& path) {
  return {ErrorCode::already_exists,
          path + ": exists",
          "choose another name, or replace it with --force"};
}

} // namespace

Result<OutputFile> OutputFile::create(const std::string& path, bool replace) {
  const std::string name = name_of(path);
  if (name.empty()) {
    return Error{ErrorCode::invalid_argument, path + ": not the name of a file", {}};
  }
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open_existing(directory_of(path)));
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!replace) {
      return exists(path);
    }
    if (!S_ISREG(status.st_mode)) {
      return Error{ErrorCode::already_exists, path + ": exists and is not a regular file", {}};
    }
  }
  DurableOrder order;
  order.name = name;
  order.part = "." + name + "." + std::to_string(::getpid()) + ".part";
  order.replace = replace;
  order.nameless = true;
  RB_TRY_ASSIGN(DurableFile file, DurableFile::create(directory.fs(), std::move(order)));
  return OutputFile(std::move(directory), path, std::move(file));
}

Status OutputFile::commit() {
  const auto committed = m_file.commit();
  if (committed) {
    return {};
  }
  return committed.error().code == ErrorCode::already_exists ? exists(m_path) : committed.error();
}

} // namespace rb::set
