#include "restore/commands.hpp"
#include "restore/io.hpp"
#include "restore/keys.hpp"
#include "restore/progress.hpp"
#include "set/opened_set.hpp"

#include "age/file.hpp"
#include "age/io.hpp"

#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace rb::restore {

using set::OutputFile;

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

/// The exit code for a failure in a file, whose own damage has a code of its own.
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

/// What the steps of the command share.
struct Job {
  const DecryptCommand& command;
  const Io& io;
  const std::vector<age::Identity>& identities;
  age::Source& source;
  std::uint64_t source_bytes = 0;   ///< 0: unknown.
  ExitCode code = ExitCode::failed; ///< What a failure ends with.
};

Status decrypt_to(age::Sink& sink, Job& job) {
  Progress progress(job.io);
  std::uint64_t done = 0;
  age::StreamOptions options;
  options.stop = job.io.stop;
  options.on_ciphertext = [&](ByteView bytes) {
    done += bytes.size();
    progress.show(job.command.file + ": decrypted", done, job.source_bytes);
  };
  age::DecryptFailure failure = age::DecryptFailure::none;
  Status decrypted = age::decrypt(job.source, sink, job.identities, options, &failure);
  if (!decrypted) {
    job.code = exit_code_of(failure, decrypted.error());
    return explained(std::move(decrypted).error(), failure, job.command);
  }
  return {};
}

Status to_file(Job& job) {
  auto created = OutputFile::create(job.command.out, job.command.force);
  if (!created) {
    job.code = exit_code_for(created.error().code);
    return std::move(created).error();
  }
  age::WriterSink sink(*created);
  RB_TRY(decrypt_to(sink, job));
  Status committed = created->commit();
  job.code = committed ? job.code : exit_code_for(committed.error().code);
  return committed;
}

Status to_pipe(Job& job) {
  StreamSink sink(job.io.out);
  RB_TRY(decrypt_to(sink, job));
  job.io.out.flush();
  return job.io.out ? Status() : Error{ErrorCode::io, "standard output: cannot be written", {}};
}

} // namespace

int carry_out(const DecryptCommand& command, const Options& /*options*/, Io& io) {
  if (command.out == "-" && io.out_is_terminal) {
    return fail(io,
                {ErrorCode::invalid_argument,
                 "decrypt: will not print secrets on a terminal",
                 "write them to a file with -o FILE, or to a pipe"},
                ExitCode::usage);
  }
  const std::vector<std::string>& named = command.identity_files;
  if (command.file == "-" && std::find(named.begin(), named.end(), "-") != named.end()) {
    return fail(io,
                {ErrorCode::invalid_argument,
                 "decrypt: standard input cannot be the file and the keys, too",
                 "name one of them by its path"},
                ExitCode::usage);
  }
  const auto keys = read_keys(command.identity_files, io);
  if (!keys) {
    return fail(io, keys.error(), ExitCode::no_identity);
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
  Job job{command, io, keys->identities, source};
  if (file) {
    job.source_bytes = file_size(fd, command.file).value_or(0);
  }
  if (const Status status = command.out == "-" ? to_pipe(job) : to_file(job); !status) {
    const int code = fail(io, status.error(), job.code);
    if (job.code == ExitCode::no_identity) {
      say_what_was_tried(*keys, io);
    }
    return code;
  }
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::restore
