#include "age/decrypt.hpp"

#include "restore/commands.hpp"
#include "restore/failure.hpp"
#include "restore/identities.hpp"
#include "unpack/output_file.hpp"

#include "age/fd_io.hpp"

#include <fcntl.h>

#include <optional>

namespace rb::restore {

using unpack::OutputFile;

namespace {

class StreamSource final : public age::Source {
public:
  explicit StreamSource(std::istream& stream) : m_stream(stream) {}

  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer) override {
    m_stream.read(reinterpret_cast<char*>(buffer.data()),
                  static_cast<std::streamsize>(buffer.size()));
    if (m_stream.bad()) {
      return Error{ErrorCode::io, "standard input: cannot be read", {}};
    }
    return static_cast<std::size_t>(m_stream.gcount());
  }

private:
  std::istream& m_stream;
};

class StreamSink final : public age::Sink {
public:
  explicit StreamSink(std::ostream& stream) : m_stream(stream) {}

  [[nodiscard]] Status write(ByteView bytes) override {
    m_stream.write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
    return m_stream ? Status() : Error{ErrorCode::io, "standard output: cannot be written", {}};
  }

private:
  std::ostream& m_stream;
};

/// The exit code for a failure in a file, whose own damage is told from everything else.
ExitCode exit_code_of(age::DecryptFailure failure, const Error& error) {
  switch (failure) {
  case age::DecryptFailure::no_match:
  case age::DecryptFailure::unsupported:
    return ExitCode::no_identity;
  case age::DecryptFailure::armor:
  case age::DecryptFailure::header:
  case age::DecryptFailure::mac:
  case age::DecryptFailure::payload:
    return ExitCode::damaged;
  case age::DecryptFailure::none:
  case age::DecryptFailure::other:
    return exit_code_for(error.code);
  }
  return ExitCode::failed;
}

Error explained(Error error, age::DecryptFailure failure, const DecryptCommand& command) {
  const std::string file = command.file == "-" ? "standard input" : command.file;
  if (!error.message.starts_with(file)) {
    error = std::move(error).within(file);
  }
  if (failure == age::DecryptFailure::no_match && error.hint.empty()) {
    error.hint = "it was encrypted to other recipients: the manifest of its set names them";
  } else if (failure == age::DecryptFailure::payload && error.hint.empty()) {
    error.hint = "the file is damaged: use another copy of it, or another set";
  }
  return error;
}

/// Decrypts into `sink`; the exit code is set when it fails.
Status decrypt_to(age::Sink& sink,
                  age::Source& source,
                  const std::vector<age::Identity>& identities,
                  const DecryptCommand& command,
                  const Io& io,
                  ExitCode& code) {
  age::StreamOptions options;
  options.stop = io.stop;
  age::DecryptFailure failure = age::DecryptFailure::none;
  auto summary = age::decrypt(source, sink, identities, options, &failure);
  if (!summary) {
    code = exit_code_of(failure, summary.error());
    return explained(std::move(summary).error(), failure, command);
  }
  return {};
}

Status to_file(age::Source& source,
               const std::vector<age::Identity>& identities,
               const DecryptCommand& command,
               const Io& io,
               ExitCode& code) {
  RB_TRY_ASSIGN(OutputFile file, OutputFile::create(command.out, command.force));
  age::FdSink sink(file.fd(), command.out);
  RB_TRY(decrypt_to(sink, source, identities, command, io, code));
  return file.commit();
}

Status to_pipe(age::Source& source,
               const std::vector<age::Identity>& identities,
               const DecryptCommand& command,
               const Io& io,
               ExitCode& code) {
  StreamSink sink(io.out);
  RB_TRY(decrypt_to(sink, source, identities, command, io, code));
  io.out.flush();
  return io.out ? Status() : Error{ErrorCode::io, "standard output: cannot be written", {}};
}

} // namespace

int decrypt(const DecryptCommand& command, Io& io) {
  if (command.out == "-" && io.out_is_terminal) {
    return fail(io,
                {ErrorCode::invalid_argument,
                 "decrypt: will not print secrets on a terminal",
                 "write them to a file with -o FILE, or to a pipe"},
                ExitCode::usage);
  }
  const auto identities = read_identities(command.identity_files, io);
  if (!identities) {
    return fail(io, identities.error());
  }
  Fd fd;
  StreamSource standard_input(io.in);
  std::optional<age::FdSource> file;
  if (command.file != "-") {
    auto opened = open_file(command.file, O_RDONLY);
    if (!opened) {
      return fail(io, opened.error());
    }
    fd = std::move(*opened);
    file.emplace(fd, command.file);
  }
  age::Source& source = file ? static_cast<age::Source&>(*file) : standard_input;
  ExitCode code = ExitCode::done;
  const Status status = command.out == "-" ? to_pipe(source, *identities, command, io, code)
                                           : to_file(source, *identities, command, io, code);
  if (!status) {
    return code == ExitCode::done ? fail(io, status.error()) : fail(io, status.error(), code);
  }
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::restore
