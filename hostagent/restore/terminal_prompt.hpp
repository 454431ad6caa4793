// Asks for a secret on the terminal of this process, whatever its standard streams are.
#pragma once

#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <string>

namespace rb::restore {

/// Shows `question` and reads one line without echo; the terminal is as it was when this returns,
/// also after an interrupt, which then is delivered. Errors: not_found (there is no terminal),
/// cancelled (Ctrl-C, end of file, a signal), io.
[[nodiscard]] Result<SecretBytes> ask_on_terminal(const std::string& question);

} // namespace rb::restore
