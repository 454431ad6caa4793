#include "cli/commands.hpp"
#include "cli/connect.hpp"
#include "terminal/terminal_text.hpp"

#include <exception>

namespace rb::cli {

namespace {

/// Their exit codes are answers.
bool is_question(const Command& command) {
  return std::holds_alternative<StatusCommand>(command) ||
         std::holds_alternative<GuardCommand>(command);
}

int dispatch(const Options& options, Io& io) {
  if (const auto* print = std::get_if<PrintCommand>(&options.command)) {
    io.out << print->text;
    return static_cast<int>(ExitCode::done);
  }
  if (const auto* completion = std::get_if<CompletionCommand>(&options.command)) {
    io.out << completion_script(completion->shell);
    return static_cast<int>(ExitCode::done);
  }
  if (const auto* command = std::get_if<RecipientsCommand>(&options.command)) {
    return recipients(*command, options.output, io);
  }
  if (const auto* command = std::get_if<InstallCommand>(&options.command)) {
    return install(*command, options.cluster, io);
  }
  if (const auto* command = std::get_if<UninstallCommand>(&options.command)) {
    return uninstall(*command, options.cluster, io);
  }
  const auto connected = io.connect(options.cluster);
  if (!connected && is_question(options.command)) {
    return fail_unanswered(io, connected.error());
  }
  if (!connected) {
    // Usage is what was typed; a kubeconfig that is not usable is a failure.
    const int code = fail(io, connected.error());
    return code == static_cast<int>(ExitCode::usage) ? static_cast<int>(ExitCode::failed) : code;
  }
  Api& api = **connected;
  if (const auto* command = std::get_if<CreateCommand>(&options.command)) {
    return create(api, *command, options.output, io);
  }
  if (const auto* command = std::get_if<ShowCommand>(&options.command)) {
    return show(api, *command, options.output, io);
  }
  if (std::holds_alternative<StatusCommand>(options.command)) {
    return status(api, options.output, io);
  }
  if (const auto* command = std::get_if<GuardCommand>(&options.command)) {
    return guard(api, *command, options.output, io);
  }
  if (std::holds_alternative<NotifyTestCommand>(options.command)) {
    return notify_test(api, options.output, io);
  }
  return list(api, options.output, io);
}

} // namespace

int run(std::span<const std::string> args, Io& io) {
  try {
    const auto options = parse_options(args, io.program);
    if (!options) {
      return fail(io, options.error());
    }
    const auto controls = [](bool terminal) {
      return terminal ? TerminalFilter::Controls::ours : TerminalFilter::Controls::none;
    };
    const TerminalGuard out(io.out, controls(io.out_colour));
    const TerminalGuard err(io.err, controls(io.err_is_terminal));
    return dispatch(*options, io);
  } catch (const std::exception& exception) { // a bug, or no memory: say so rather than abort
    return fail(io, Error{ErrorCode::internal, exception.what(), {}});
  }
}

} // namespace rb::cli
