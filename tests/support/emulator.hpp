// Whether the test runs in a chroot under qemu, as tests/arm64/run.sh says by RB_EMULATED: a
// program that is not there is started and ends with 127 (its posix_spawn is a plain fork), no
// mount namespace can be made, and all takes many times as long. What cannot be seen there says so.
#pragma once

#include <cstdlib>

namespace rb::test {

inline bool is_emulated() {
  return std::getenv("RB_EMULATED") != nullptr;
}

} // namespace rb::test
