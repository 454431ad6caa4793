#include "terminal/program_io.hpp"

#include "terminal/terminal_text.hpp"

namespace rb {

int fail(const ProgramIo& io, const Error& error, ExitCode code) {
  io.err << io.program << ": " << terminal_text(error.message) << '\n';
  if (!error.hint.empty()) {
    io.err << "hint: " << terminal_text(error.hint) << '\n';
  }
  return static_cast<int>(code);
}

int fail(const ProgramIo& io, const Error& error) {
  return fail(io, error, exit_code_for(error.code));
}

void warn(const ProgramIo& io, std::string_view message) {
  io.err << io.program << ": warning: " << terminal_text(message) << '\n';
}

} // namespace rb
