// A .sops.yaml of any shape gives recipients, without duplicates, or a typed error.
#include "age/sops_yaml.hpp"
#include "base/bytes.hpp"

#include <algorithm>
#include <cstdlib>

using namespace rb;
using namespace rb::age;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto recipients = recipients_from_sops_yaml(as_text({data, size}));
  if (!recipients) {
    const ErrorCode code = recipients.error().code;
    if (code != ErrorCode::not_found && code != ErrorCode::invalid_argument &&
        code != ErrorCode::unsupported) {
      std::abort();
    }
    return 0;
  }
  std::sort(recipients->begin(), recipients->end());
  if (recipients->empty() ||
      std::adjacent_find(recipients->begin(), recipients->end()) != recipients->end()) {
    std::abort();
  }
  return 0;
}
