#include "set/file_check.hpp"

#include "set/content_check.hpp"
#include "set/file_source.hpp"
#include "set/writer.hpp"

#include "age/file.hpp"
#include "age/file_key.hpp"
#include "age/io.hpp"
#include "base/digest.hpp"

namespace rb::set {

namespace {

constexpr std::size_t k_read_bytes = 256U << 10U;

ExitCode code_of(const Error& error, age::DecryptFailure failure) {
  const bool unopened = failure == age::DecryptFailure::no_match ||
                        failure == age::DecryptFailure::unsupported ||
                        error.code == ErrorCode::no_matching_identity;
  return unopened ? ExitCode::no_identity
         : error.code == ErrorCode::corrupt ||
                 error.code == ErrorCode::not_found // the manifest names it
             ? ExitCode::damaged
             : ExitCode::failed;
}

/// Compares what was read with what the manifest says.
Status check_digest(const ContentDigest& content, FileReport& report, const FileTask& task) {
  if (!task.expected) {
    return {};
  }
  if (content.size_bytes != task.expected->size_bytes) {
    return Error{ErrorCode::corrupt,
                 "has " + std::to_string(content.size_bytes) + " bytes, the manifest says " +
                     std::to_string(task.expected->size_bytes),
                 {}};
  }
  if (to_hex(content.sha256) != task.expected->sha256) {
    return Error{ErrorCode::corrupt, "its SHA-256 is not that of the manifest", {}};
  }
  report.proven.emplace_back("digest");
  return {};
}

Result<ContentDigest> digest_of(File& file, const std::string& name, const CheckHooks& hooks) {
  RB_TRY_ASSIGN(const std::uint64_t total, file.size());
  Bytes buffer(k_read_bytes);
  Sha256 hash;
  ContentDigest content;
  while (true) {
    if (hooks.stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "stopped", {}};
    }
    RB_TRY_ASSIGN(const std::size_t got, file.read(buffer));
    hash.update(ByteView(buffer).first(got));
    content.size_bytes += got;
    if (hooks.on_bytes) {
      hooks.on_bytes(name + ": read", content.size_bytes, total);
    }
    if (got < buffer.size()) {
      content.sha256 = hash.digest();
      return content;
    }
  }
}

Status
check_without_key(File& file, const FileTask& task, const CheckHooks& hooks, FileReport& report) {
  RB_TRY_ASSIGN(const ContentDigest content, digest_of(file, task.name, hooks));
  RB_TRY(check_digest(content, report, task));
  StartSource start(file);
  age::BufferedSource source(start);
  RB_TRY(age::read_header(source));
  report.proven.emplace_back("age header");
  return {};
}

Status check_with_key(File& file,
                      const FileTask& task,
                      std::span<const age::Identity> identities,
                      const CheckHooks& hooks,
                      FileReport& report,
                      age::DecryptFailure& failure) {
  RB_TRY_ASSIGN(const std::uint64_t file_bytes, file.size());
  const std::unique_ptr<ContentCheck> content = make_content_check(task, file_bytes);
  const std::string step = task.name + ": decrypted";
  ContentDigest ciphertext;
  Sha256 hash;
  age::StreamOptions options;
  options.stop = hooks.stop;
  options.on_ciphertext = [&](ByteView bytes) {
    hash.update(bytes);
    ciphertext.size_bytes += bytes.size();
    if (hooks.on_bytes) {
      hooks.on_bytes(step, ciphertext.size_bytes, file_bytes);
    }
  };
  StartSource source(file);
  RB_TRY(age::decrypt(source, *content, identities, options, &failure));
  ciphertext.sha256 = hash.digest();
  RB_TRY(check_digest(ciphertext, report, task));
  report.proven.emplace_back("decrypted");
  return content->finish(file, identities, hooks, report);
}

} // namespace

void FileReport::note_odd(std::string what) {
  ++odd_total;
  if (odd.size() < k_odd_limit) {
    odd.push_back(std::move(what));
  }
}

FileReport check_file(set::Directory& directory,
                      const FileTask& task,
                      std::span<const age::Identity> identities,
                      const CheckHooks& hooks) {
  FileReport report;
  report.type = task.type;
  report.name = task.name;
  age::DecryptFailure failure = age::DecryptFailure::none;
  const auto check = [&]() -> Status {
    RB_TRY_ASSIGN(const std::unique_ptr<File> file, directory.fs().open_uncached(task.name));
    return identities.empty() ? check_without_key(*file, task, hooks, report)
                              : check_with_key(*file, task, identities, hooks, report, failure);
  };
  if (const Status status = check(); !status) {
    report.code = code_of(status.error(), failure);
    report.message = status.error().message;
  }
  return report;
}

} // namespace rb::set
