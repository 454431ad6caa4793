#include "restore/failure.hpp"

#include "terminal/terminal_text.hpp"

namespace rb::restore {

int fail(const Io& io, const Error& error) {
  return fail(io, error, exit_code_for(error.code));
}

int fail(const Io& io, const Error& error, ExitCode code) {
  io.err << "railiance-restore: " << terminal_text(error.message) << '\n';
  if (!error.hint.empty()) {
    io.err << "hint: " << terminal_text(error.hint) << '\n';
  }
  return static_cast<int>(code);
}

void warn(const Io& io, const std::string& message) {
  io.err << "railiance-restore: warning: " << terminal_text(message) << '\n';
}

int fail_to_open(const Io& io, const Error& error) {
  return error.code == ErrorCode::not_found ? fail(io, error, ExitCode::nothing_to_restore)
                                            : fail(io, error);
}

} // namespace rb::restore
