#include "sign/key_file.hpp"

#include "base/fd.hpp"
#include "base/open_beneath.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace rb::sign {

namespace {

constexpr std::size_t k_key_limit_bytes = 16U << 10U;

Error unusable(Error error) {
  if (error.code == ErrorCode::not_found || error.code == ErrorCode::no_space) {
    return error;
  }
  if (error.hint.empty()) {
    error.hint = "put the host's key back (it is in the host state of each set), or move the file "
                 "away: then the next run begins with a new key";
  }
  return error;
}

Result<SecretBytes> read_private(const std::string& path) {
  RB_TRY_ASSIGN(const Fd fd, open_regular(path));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return system_error(errno, path + ": stat");
  }
  if (status.st_uid != ::geteuid() || (status.st_mode & 077U) != 0 || status.st_nlink != 1) {
    return Error{ErrorCode::permission_denied,
                 path + ": others can read or change it, or it has a second name",
                 "who had it can sign in this host's name: move it away, and the next run begins "
                 "with a new key"};
  }
  SecretBytes buffer(k_key_limit_bytes);
  RB_TRY_ASSIGN(const std::size_t got, read_up_to(fd, buffer.span(), path));
  return SecretBytes(buffer.view().first(got));
}

} // namespace

Result<SigningKey> read_key_file(const std::string& path) {
  auto pem = read_private(path);
  if (!pem) {
    return unusable(std::move(pem).error());
  }
  auto key = SigningKey::from_pem(pem->view());
  if (!key) {
    return unusable(std::move(key).error().within(path));
  }
  return key;
}

} // namespace rb::sign
