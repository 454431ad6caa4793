#include "restore/commands.hpp"

#include "restore/proof/scratch_dir.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include <exception>

namespace rb::restore {

namespace {

/// Where nobody said which sets are meant, and they are not at the usual place.
void say_directory(const Options& options, const Io& io) {
  const auto* const list = std::get_if<ListCommand>(&options.command);
  const bool needs_none = (list != nullptr && !list->remote.remote.empty()) ||
                          std::holds_alternative<DecryptCommand>(options.command) ||
                          std::holds_alternative<PrintCommand>(options.command) ||
                          std::holds_alternative<MetricsCommand>(options.command);
  if (io.says_default_backup_dir && !needs_none && options.backup_dir == io.default_backup_dir) {
    io.err << "the sets of this host: " << terminal_text(options.backup_dir) << '\n';
  }
}

} // namespace

int carry_out(const PrintCommand& command, const Options& /*options*/, Io& io) {
  io.out << command.text;
  return static_cast<int>(ExitCode::done);
}

int run(std::span<const std::string> args, Io& io) {
  try {
    // A killed drill leaves plaintext: whatever is asked next, it goes first.
    proof::ScratchPlaces(io.scratch_record).sweep();
    const auto options = parse_options(args, io);
    if (!options) {
      return fail(io, options.error(), ExitCode::usage);
    }
    const auto controls = [](bool terminal) {
      return terminal ? TerminalFilter::Controls::ours : TerminalFilter::Controls::none;
    };
    const auto dispatch = [&](const auto& command) { return carry_out(command, *options, io); };
    const TerminalGuard err(io.err, controls(io.err_is_terminal));
    if (std::holds_alternative<DecryptCommand>(options->command)) {
      return std::visit(dispatch, options->command); // its output is the file itself
    }
    const TerminalGuard out(io.out, controls(false));
    say_directory(*options, io);
    return std::visit(dispatch, options->command);
  } catch (const std::exception& exception) { // a bug, or no memory: say so rather than abort
    return fail(io, Error{ErrorCode::internal, exception.what(), {}});
  }
}

} // namespace rb::restore
