// A private key file of any shape is a key that comes back from what we write of it, or a typed
// error. An input that does not begin like one is taken for what lies between its two lines, not
// encoded.
#include "age/openssh_key.hpp"
#include "age/ssh_key.hpp"

#include <cstdlib>
#include <string>

using namespace rb;
using namespace rb::age;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string pem(as_text({data, size}));
  if (!pem.starts_with("-----BEGIN")) {
    pem = std::string(k_openssh_begin) + "\n" + to_base64({data, size}) + "\n" +
          std::string(k_openssh_end) + "\n";
  }
  const auto identity = SshIdentity::parse(pem);
  if (!identity) {
    const ErrorCode code = identity.error().code;
    if (code != ErrorCode::invalid_argument && code != ErrorCode::unsupported) {
      std::abort();
    }
    return 0;
  }
  const auto again = SshIdentity::parse(identity->text().text());
  if (!again || again->recipient != identity->recipient) {
    std::abort();
  }
  return 0;
}
