// The commands, each from its options to its exit code.
#pragma once

#include "cli/io.hpp"
#include "cli/options.hpp"

#include <string>
#include <string_view>

namespace rb::cli {

[[nodiscard]] int create(Api& api, const CreateCommand& command, OutputFormat output, Io& io);
[[nodiscard]] int list(Api& api, OutputFormat output, Io& io);
[[nodiscard]] int show(Api& api, const ShowCommand& command, OutputFormat output, Io& io);

[[nodiscard]] int status(Api& api, OutputFormat output, Io& io);

/// Needs no cluster.
[[nodiscard]] int recipients(const RecipientsCommand& command, OutputFormat output, Io& io);

/// The completion script. Precondition: bash, zsh or fish.
[[nodiscard]] std::string completion_script(std::string_view shell);

} // namespace rb::cli
