#include "set/set_check.hpp"

#include "set/age_reader.hpp"
#include "set/content_check.hpp"
#include "set/names.hpp"

#include "age/file.hpp"
#include "age/file_key.hpp"
#include "age/io.hpp"
#include "base/digest.hpp"

namespace rb::set {

namespace {

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

Error wrong_size(std::uint64_t size_bytes, std::uint64_t expected) {
  return {ErrorCode::corrupt,
          "has " + std::to_string(size_bytes) + " bytes, the manifest says " +
              std::to_string(expected),
          {}};
}

/// Compares what was read with what the manifest says.
Status check_digest(const ContentDigest& content, FileReport& report, const FileTask& task) {
  if (task.manifest == nullptr) {
    return {};
  }
  const api::ArtifactStatus expected = *task.manifest->find(task.type);
  if (content.size_bytes != expected.size_bytes) {
    return wrong_size(content.size_bytes, expected.size_bytes);
  }
  if (to_hex(content.sha256) != expected.sha256) {
    return Error{ErrorCode::corrupt, "its SHA-256 is not that of the manifest", {}};
  }
  report.proven.emplace_back("digest");
  return {};
}

/// Before anything is read: a sparse file of terabytes costs nothing but who reads it. One that is
/// larger than its disk is of nobody who had it written there, whatever a manifest says.
Status check_size(Directory& directory, File& file, const FileTask& task) {
  RB_TRY_ASSIGN(const std::uint64_t size_bytes, file.size());
  if (task.manifest != nullptr) {
    const std::uint64_t expected = task.manifest->find(task.type)->size_bytes;
    if (size_bytes != expected) {
      return wrong_size(size_bytes, expected);
    }
  }
  const auto space = directory.fs().space();
  if (space && space->total_bytes != 0 && size_bytes > space->total_bytes) {
    return Error{
        ErrorCode::corrupt, "has " + std::to_string(size_bytes) + " bytes, more than its disk", {}};
  }
  return {};
}

Result<ContentDigest>
digest_reported(File& file, const std::string& name, const CheckHooks& hooks) {
  RB_TRY_ASSIGN(const std::uint64_t total, file.size());
  std::uint64_t done = 0;
  auto content = digest_of(file, hooks.stop, [&](std::uint64_t bytes) {
    done += bytes;
    if (hooks.on_bytes) {
      hooks.on_bytes(name + ": read", done, total);
    }
  });
  if (!content && content.error().code == ErrorCode::cancelled) {
    return Error{ErrorCode::cancelled, "stopped", {}};
  }
  return content;
}

Status
check_without_key(File& file, const FileTask& task, const CheckHooks& hooks, FileReport& report) {
  RB_TRY_ASSIGN(const ContentDigest content, digest_reported(file, task.name, hooks));
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

FileReport check_file(Directory& directory,
                      const FileTask& task,
                      std::span<const age::Identity> identities,
                      const CheckHooks& hooks) {
  FileReport report;
  report.type = task.type;
  report.name = task.name;
  age::DecryptFailure failure = age::DecryptFailure::none;
  const auto check = [&]() -> Status {
    RB_TRY_ASSIGN(const std::unique_ptr<File> file, directory.fs().open_uncached(task.name));
    RB_TRY(check_size(directory, *file, task));
    return identities.empty() ? check_without_key(*file, task, hooks, report)
                              : check_with_key(*file, task, identities, hooks, report, failure);
  };
  if (const Status status = check(); !status) {
    report.code = code_of(status.error(), failure);
    report.message = status.error().message;
  }
  return report;
}

std::vector<FileTask> tasks_of(const BackupSet& set) {
  std::vector<FileTask> tasks;
  if (set.manifest) {
    for (const api::ArtifactStatus& artifact : set.manifest->artifacts) {
      tasks.push_back({artifact.type, artifact.file_name, &*set.manifest});
    }
    return tasks;
  }
  for (const SetFile& file : set.files) {
    if (const auto info = classify_name(file.name); info.type) {
      tasks.push_back({*info.type, file.name, nullptr});
    }
  }
  return tasks;
}

ExitCode code_of(SetState state) {
  switch (state) {
  case SetState::complete:
    return ExitCode::done;
  case SetState::incomplete:
    return ExitCode::incomplete;
  case SetState::damaged:
    return ExitCode::damaged;
  }
  return ExitCode::failed;
}

int rank(ExitCode code) {
  switch (code) {
  case ExitCode::done:
    return 0;
  case ExitCode::incomplete:
    return 1;
  case ExitCode::no_identity:
    return 3;
  case ExitCode::damaged:
    return 4;
  case ExitCode::failed:
  case ExitCode::usage:
  case ExitCode::nothing_to_restore:
  case ExitCode::busy:
  case ExitCode::unreachable:
  case ExitCode::deadline_passed:
    return 2;
  }
  return 2;
}

} // namespace

void FileReport::note_odd(std::string what) {
  ++odd_total;
  if (odd.size() < k_odd_limit) {
    odd.push_back(std::move(what));
  }
}

ExitCode worse(ExitCode left, ExitCode right) {
  return rank(left) >= rank(right) ? left : right;
}

SetReport check_set(Directory& directory,
                    const BackupSet& set,
                    std::span<const age::Identity> identities,
                    const CheckHooks& hooks) {
  SetReport report{set.run_id, set.state, set.problems, {}, {}, code_of(set.state)};
  for (const FileTask& task : tasks_of(set)) {
    report.files.push_back(check_file(directory, task, identities, hooks));
    report.code = worse(report.code, report.files.back().code);
    if (hooks.on_file) {
      hooks.on_file(report.files.back());
    }
  }
  return report;
}

} // namespace rb::set
