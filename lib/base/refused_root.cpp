#include "base/refused_root.hpp"

#include "base/modes.hpp"

#include <sys/vfs.h>
#include <unistd.h>

namespace rb {

namespace {

constexpr unsigned long k_nfs = 0x6969;
constexpr unsigned long k_fuse = 0x65735546;

} // namespace

std::string refused_root_hint(unsigned long file_system_type) {
  if (file_system_type == k_fuse) {
    return "it is mounted for the user alone who mounted it (FUSE): mount it as root, or with -o "
           "allow_root";
  }
  return file_system_type == k_nfs ? mode_hint(file_system_type, {}) : std::string();
}

Error with_refused_root_hint(Error error, const std::string& path) {
  if (error.code != ErrorCode::permission_denied || !error.hint.empty() || ::geteuid() != 0) {
    return error;
  }
  struct statfs status {};
  std::string at = path;
  while (::statfs(at.c_str(), &status) != 0) {
    const std::size_t slash = at.rfind('/');
    if (slash == std::string::npos || slash == 0) {
      return error;
    }
    at.resize(slash);
  }
  error.hint = refused_root_hint(static_cast<unsigned long>(status.f_type) & 0xFFFFFFFFUL);
  return error;
}

} // namespace rb
