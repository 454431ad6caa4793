#include "restore/commands.hpp"

#include "restore/proof/scratch_dir.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include <exception>

namespace rb::restore {

namespace {

struct Dispatch {
  const Options& options;
  Io& io;

  int operator()(const ListCommand& command) const { return list(command, options, io); }
  int operator()(const FetchCommand& command) const { return fetch(command, options, io); }
  int operator()(const ShowCommand& command) const { return show(command, options, io); }
  int operator()(const VerifyCommand& command) const { return verify(command, options, io); }
  int operator()(const DecryptCommand& command) const { return decrypt(command, io); }
  int operator()(const RestoreCommand& command) const {
    return command.artifact.empty() ? restore_cluster(command, options, io)
                                    : unpack_artifact(command, options, io);
  }
  int operator()(const RejoinCommand& command) const {
    return rejoin_cluster(command, options, io);
  }
  int operator()(const DrillCommand& command) const { return drill(command, options, io); }
  int operator()(const RewrapCommand& command) const { return rewrap(command, options, io); }
  int operator()(const MetricsCommand& command) const { return metrics(command, options, io); }
  int operator()(const PrintCommand& command) const {
    io.out << command.text;
    return static_cast<int>(ExitCode::done);
  }
};

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
    const Dispatch dispatch{*options, io};
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
