#include "base/no_core.hpp"

#include <sys/resource.h>

namespace rb {

void leave_no_core() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) == 0) {
    limit.rlim_cur = 0; // not the hard one: OpenRC has services inherit what started them
    static_cast<void>(::setrlimit(RLIMIT_CORE, &limit));
  }
}

} // namespace rb
