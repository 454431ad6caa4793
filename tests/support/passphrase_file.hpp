// An age file that a passphrase opens, as `age -p` makes it, with little work.
#pragma once

#include <string>
#include <string_view>

namespace rb::test {

[[nodiscard]] std::string protect(std::string_view plaintext, std::string_view passphrase);

} // namespace rb::test
