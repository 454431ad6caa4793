// An identity file of any shape gives at least one identity or a typed error that repeats no key.
#include "age/identity.hpp"

#include <cstdlib>

using namespace rb;
using namespace rb::age;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = parse_identity_file(as_text({data, size}));
  if (file) {
    if (file->identities.empty()) {
      std::abort();
    }
    return 0;
  }
  const Error& error = file.error();
  const bool typed = error.code == ErrorCode::not_found || error.code == ErrorCode::unsupported ||
                     error.code == ErrorCode::invalid_argument;
  if (!typed || error.message.find("AGE-SECRET-KEY-1Q") != std::string::npos) {
    std::abort();
  }
  return 0;
}
