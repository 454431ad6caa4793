// Opening what somebody else may have placed: no link is followed unawares, nothing but a regular
// file is taken, and nothing (a FIFO, a terminal) holds us up.
#pragma once

#include "base/fd.hpp"

#include <string>

namespace rb {

/// A regular file below the open `directory`; no component of the relative `path` may be a link or
/// lead out of it. By openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS; where the kernel
/// (before 5.6) or a seccomp filter has none, component by component with O_NOFOLLOW, which holds
/// the same against links: only the check that ".." does not race a rename is lost, so ".." is
/// refused there and here. `flags` as of open(2), O_CREAT with `mode`; `shown` begins messages.
/// Errors: unsupported (a link, a directory, a FIFO, a device), those of open(2).
[[nodiscard]] Result<Fd> open_beneath(const Fd& directory,
                                      const std::string& path,
                                      int flags,
                                      unsigned mode,
                                      const std::string& shown);

/// A regular file at an absolute path, to read. Links on the way count only where nobody but root
/// and ourselves could have made them: in directories that are ours or root's, and that others
/// cannot write to. Errors: unsupported (another kind of file), permission_denied (a link that
/// others can change), those of open(2).
[[nodiscard]] Result<Fd> open_regular(const std::string& path);

/// As read_secret_file, by open_regular.
[[nodiscard]] Result<SecretBytes> read_regular(const std::string& path, std::size_t limit_bytes);

/// As read_text_file, by open_regular.
[[nodiscard]] Result<std::string> read_regular_text(const std::string& path,
                                                    std::size_t limit_bytes);

/// Nobody but root (and ourselves) can change what `path` leads to: a regular file that is root's
/// and that others cannot write to, and so are all directories on the way (a sticky one may be open
/// to others where what follows is root's) and all links. Errors: not_found, unsupported (not a
/// regular file), permission_denied; the message names the component, the hint what to do.
[[nodiscard]] Status check_root_owned(const std::string& path);

} // namespace rb
