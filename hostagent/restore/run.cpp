#include "restore/run.hpp"

#include "restore/commands.hpp"
#include "restore/io.hpp"
#include "restore/proof/scratch_places.hpp"
#include "terminal/terminal_text.hpp"

#include <exception>

namespace rb::restore {

namespace {

int dispatch(const Options& options, Io& io) {
  if (const auto* print = std::get_if<PrintCommand>(&options.command)) {
    io.out << print->text;
    return static_cast<int>(ExitCode::done);
  }
  if (const auto* command = std::get_if<ShowCommand>(&options.command)) {
    return show(*command, options, io);
  }
  if (const auto* command = std::get_if<VerifyCommand>(&options.command)) {
    return verify(*command, options, io);
  }
  if (const auto* command = std::get_if<DecryptCommand>(&options.command)) {
    return decrypt(*command, io);
  }
  if (const auto* command = std::get_if<RestoreCommand>(&options.command)) {
    return command->artifact.empty() ? restore_cluster(*command, options, io)
                                     : unpack_artifact(*command, options, io);
  }
  if (const auto* command = std::get_if<DrillCommand>(&options.command)) {
    return drill(*command, options, io);
  }
  if (const auto* command = std::get_if<MetricsCommand>(&options.command)) {
    return metrics(*command, options, io);
  }
  if (const auto* command = std::get_if<FetchCommand>(&options.command)) {
    return fetch(*command, options, io);
  }
  return list(std::get<ListCommand>(options.command), options, io);
}

} // namespace

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
    const TerminalGuard err(io.err, controls(io.err_is_terminal));
    if (std::holds_alternative<DecryptCommand>(options->command)) {
      return dispatch(*options, io); // its output is the file itself
    }
    const TerminalGuard out(io.out, controls(false));
    return dispatch(*options, io);
  } catch (const std::exception& exception) { // a bug, or no memory: say so rather than abort
    return fail(io, Error{ErrorCode::internal, exception.what(), {}});
  }
}

} // namespace rb::restore
