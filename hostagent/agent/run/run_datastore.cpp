// The datastore artifact: a copy, encryption, and the removal of the plaintext.
#include "agent/run/leftovers.hpp"
#include "agent/run/run_state.hpp"
#include "datastore/datastore.hpp"
#include "datastore/sqlite/online_copy.hpp"
#include "k3s/command.hpp"
#include "k3s/host_settings.hpp"
#include "k3s/versions.hpp"
#include "objects/contents.hpp"
#include "terminal/log.hpp"

#include "age/file.hpp"
#include "age/io.hpp"
#include "base/open_beneath.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <thread>

namespace rb::agent {

namespace {

constexpr const char* k_state = "/server/db/state.db";

constexpr int k_nice = 10;
// linux/ioprio.h: IOPRIO_WHO_PROCESS, and IOPRIO_CLASS_IDLE above IOPRIO_CLASS_SHIFT.
constexpr int k_this_thread = 1;
constexpr int k_idle_class = 3 << 13;

/// Runs `work`, which must not be in the way of the datastore, on a thread of its own, with a nice
/// value of 10 and the idle I/O class (ioprio_set(2)), which the threads that it starts inherit,
/// and waits for it. Where the kernel refuses, it runs as usual.
template <typename Work> void run_politely(Work work) {
  std::thread thread([&work] {
    const auto self = static_cast<id_t>(::syscall(SYS_gettid));
    static_cast<void>(::setpriority(PRIO_PROCESS, self, k_nice));
    static_cast<void>(::syscall(SYS_ioprio_set, k_this_thread, 0, k_idle_class));
    work();
  });
  thread.join();
}

/// Removes the plaintext of this run when it goes, however the step ends.
class PlaintextGuard {
public:
  explicit PlaintextGuard(BackupRun& run) : m_run(run) {}
  ~PlaintextGuard() { remove(); }
  PlaintextGuard(const PlaintextGuard&) = delete;
  PlaintextGuard& operator=(const PlaintextGuard&) = delete;
  PlaintextGuard(PlaintextGuard&&) = delete;
  PlaintextGuard& operator=(PlaintextGuard&&) = delete;

  /// The save has ended for sure: no file will come late, the marker can go with the file.
  void save_has_ended() { m_save_has_ended = true; }

private:
  void remove() {
    bool gone = true;
    for (const std::string& directory : m_run.k3s.plaintext_dirs) {
      gone = remove_from(directory) && gone;
    }
    if (gone && m_save_has_ended) {
      const Status cleared = clear_unfinished(*m_run.directory, m_run.order.run_id);
      if (!cleared) {
        log::warn("marker of the run", cleared.error());
      }
    }
  }

  bool remove_from(const std::string& directory) {
    const auto names = snapshots_of_run(directory, m_run.order.run_id);
    bool gone = names.has_value();
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
      const auto removed = remove_snapshot(m_run.ports.processes, m_run.k3s, directory, name);
      if (!removed) {
        log::error("plaintext snapshot not removed; it will be tried again", removed.error());
        gone = false;
      }
    }
    return gone;
  }

  BackupRun& m_run;
  bool m_save_has_ended = false;
};

/// k3s makes its own directory when it takes the first snapshot; one that the configuration names
/// must be there.
Status make_usual_directory(const BackupRun& run) {
  const std::string& directory = run.k3s.snapshot_dir;
  if (directory != k3s::snapshot_directory(run.settings.data_dir, {})) {
    return {};
  }
  std::error_code error;
  if (std::filesystem::create_directory(directory, error)) {
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
  }
  return error ? Status(system_error(error.value(), directory)) : Status();
}

/// Errors of the copy are those of the server's disk, not of the backup directory.
Error not_copied(Error error) {
  if (error.code == ErrorCode::busy) {
    error.hint = "another program holds a lock on it: see what (fuser, lsof), and start the backup "
                 "again";
  } else if (error.code == ErrorCode::no_space) {
    error.hint = "free some space in the directory of k3s's snapshots";
    return std::move(error).because(api::Reason::storage_full);
  } else if (error.code == ErrorCode::corrupt) {
    error.hint = datastore::of(api::DatastoreKind::sqlite).remedy();
    return std::move(error).because(api::Reason::snapshot_invalid);
  }
  return std::move(error).because(api::Reason::snapshot_failed);
}

Result<SavedSnapshot> copy_sqlite(const BackupRun& run) {
  if (Status made = make_usual_directory(run); !made) {
    return not_copied(std::move(made).error());
  }
  const std::string name =
      k3s::snapshot_name(run.order.run_id, run.settings.node_name, run.ports.clock.now());
  const SavedSnapshot saved{name, run.k3s.snapshot_dir + "/" + name};
  Status copied = sqlite::copy_online({run.settings.data_dir + k_state, saved.path},
                                      run.control.token(),
                                      [&run](std::uint64_t done, std::uint64_t total) {
                                        run.enter(step::k_taking_snapshot, done, total);
                                      });
  RB_TRY(check_stop(run.control, step::k_taking_snapshot));
  if (!copied) {
    return not_copied(std::move(copied).error());
  }
  return saved;
}

/// A copy in plaintext, where k3s has its snapshots: whatever kind of datastore it is, the copy is
/// found again and removed by its name. What it holds has not been looked at. After a failure it
/// may be there in part. Each error bears its reason.
Result<SavedSnapshot> take_copy(api::DatastoreKind kind, BackupRun& run) {
  switch (kind) {
  case api::DatastoreKind::etcd:
    run.k3s.command.version =
        k3s::ask_version(run.ports.processes, run.k3s.command.program, run.control.token());
    return save_snapshot(run);
  case api::DatastoreKind::sqlite:
    return copy_sqlite(run);
  }
  return Error{ErrorCode::internal, "a datastore of no kind", {}};
}

Error invalid(const datastore::Datastore& datastore,
              const SavedSnapshot& saved,
              const Error& error) {
  return Error{error.code,
               saved.name + ": the snapshot is not sound: " + error.message,
               std::string(datastore.remedy())}
      .because(api::Reason::snapshot_invalid);
}

/// Reads, hashes, encrypts, hashes and writes in one pass.
Status encrypt(BackupRun& run,
               const Fd& fd,
               const std::string& path,
               set::ArtifactWriter& writer,
               datastore::CopyCheck& check) {
  const auto total = file_size(fd, path);
  if (!total) {
    return Error(total.error()).because(api::Reason::snapshot_failed);
  }
  age::FdSource source(fd, path);
  age::WriterSink sink(writer);
  age::StreamOptions options;
  options.threads = run.settings.encryption_threads;
  options.stop = run.control.token();
  options.on_plaintext = [&check](ByteView bytes) { check.update(bytes); };
  options.progress = [&](std::uint64_t done) {
    run.enter(step::k_encrypting_snapshot, done, *total);
  };
  const Status done = age::encrypt(source, sink, run.recipients, options);
  if (done) {
    return {};
  }
  return run.stopped_or(step::k_encrypting_snapshot,
                        sink.failed() ? done.error()
                                      : Error(done.error()).because(api::Reason::snapshot_failed));
}

Result<datastore::CopyFacts> look_inside(const BackupRun& run,
                                         const datastore::Datastore& datastore,
                                         const Fd& fd,
                                         const std::string& path) {
  // One open file for both readers: a retention run of k3s may remove the name meanwhile.
  Fd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) {
    return system_error(errno, path);
  }
  RB_TRY_ASSIGN(const auto reader, FileReader::open(std::move(copy), path));
  datastore::InspectOrder order;
  order.thorough = true;
  order.wanted_keys = {k3s::node_key(run.settings.node_name)};
  return datastore.inspect(*reader, order, run.control.token());
}

set::SnapshotRecord record_of(api::DatastoreKind kind,
                              const SavedSnapshot& saved,
                              const datastore::CopyDigests& digests,
                              const datastore::CopyFacts& info) {
  set::SnapshotRecord record;
  record.kind = kind;
  record.name = saved.name;
  record.size_bytes = digests.size_bytes;
  record.file_sha256 = to_hex(digests.file);
  record.content_sha256 = to_hex(digests.content);
  record.revision = info.revision;
  record.total_keys = static_cast<std::int64_t>(info.total_keys);
  record.hash = info.hash;
  record.storage_version = info.storage_version;
  record.objects = info.objects;
  record.bootstrap_hashes = info.bootstrap_hashes;
  return record;
}

/// From the plaintext copy to the verified artifact: the pass, then the look into it, then the
/// read-back. Nothing has its final name before all of it was right. Reasons:
/// snapshot_invalid (empty, truncated, wrong digest, not a sound database), snapshot_failed (it
/// cannot be read, it is gone), the storage reasons, those of a stop. After a failure the directory
/// is as it was.
Status store(BackupRun& run, const datastore::Datastore& datastore, const SavedSnapshot& saved) {
  const auto fd = open_regular(saved.path);
  if (!fd) {
    return Error(fd.error()).because(api::Reason::snapshot_failed);
  }
  RB_TRY_ASSIGN(
      auto writer,
      set::ArtifactWriter::create(
          *run.directory,
          api::file_name(api::ArtifactType::datastore, run.order.run_id, datastore.kind())));
  const auto check = datastore.make_check();
  RB_TRY(encrypt(run, *fd, saved.path, writer, *check));
  const auto digests = check->finish();
  if (!digests) {
    return invalid(datastore, saved, digests.error());
  }
  const auto info = look_inside(run, datastore, *fd, saved.path);
  if (!info) {
    return run.stopped_or(step::k_encrypting_snapshot, invalid(datastore, saved, info.error()));
  }
  const auto file = writer.commit(run.control.token());
  if (!file) {
    return run.stopped_or(step::k_encrypting_snapshot, file.error());
  }
  if (const Bytes* const node = info->wanted(k3s::node_key(run.settings.node_name))) {
    run.node = {objects::stored_annotation(*node, k3s::k_node_args),
                objects::stored_annotation(*node, k3s::k_node_env)};
    if (std::string version = objects::stored_kubelet_version(*node);
        k3s::is_release_of_k3s(version)) {
      run.server_version = std::move(version);
    }
  }
  run.manifest.snapshot = record_of(datastore.kind(), saved, *digests, *info);
  run.add_stored(api::ArtifactType::datastore, *file);
  return {};
}

void note_taken(BackupRun& run) {
  run.note(api::condition_type::k_snapshot_taken,
           api::ConditionStatus::true_,
           api::Reason::completed,
           std::string(word_of(run.manifest.snapshot->kind)) + " snapshot " +
               run.manifest.snapshot->name + ": revision " +
               std::to_string(run.manifest.snapshot->revision) + ", " +
               std::to_string(run.manifest.snapshot->total_keys) + " keys");
}

void note_not_requested(BackupRun& run) {
  run.note(api::condition_type::k_snapshot_taken,
           api::ConditionStatus::false_,
           api::Reason::not_requested,
           "Datastore is not in spec.artifacts");
  if (run.order.verification == api::Verification::boot) {
    run.note_proof(not_proven(api::Reason::proof_unavailable,
                              "Datastore is not in spec.artifacts: there is nothing to boot from"));
  }
}

Status take_and_store(BackupRun& run) {
  RB_TRY_ASSIGN(const api::DatastoreKind kind,
                datastore::kind_at(run.k3s.datastore, run.settings.data_dir));
  RB_TRY(datastore::check_in_use(kind, run.settings.data_dir));
  RB_TRY(check_snapshot_dir(run.k3s));
  run.enter(step::k_taking_snapshot);
  RB_TRY(mark_unfinished(*run.directory, run.order.run_id, run.settings.node_name));
  PlaintextGuard guard(run);
  RB_TRY_ASSIGN(const SavedSnapshot saved, take_copy(kind, run));
  guard.save_has_ended();
  run.enter(step::k_encrypting_snapshot);
  Status stored;
  run_politely([&] { stored = store(run, datastore::of(kind), saved); });
  RB_TRY(stored);
  note_taken(run);
  // The plaintext goes with the guard: until then it can be booted from, without any key.
  return run.prove_snapshot(saved.path);
}

} // namespace

Status BackupRun::back_up_datastore() {
  if (!order.wants(api::ArtifactType::datastore)) {
    note_not_requested(*this);
    return {};
  }
  const Status done = take_and_store(*this);
  if (!done && !manifest.snapshot) {
    const Outcome outcome = outcome_of(done.error());
    note(api::condition_type::k_snapshot_taken,
         api::ConditionStatus::false_,
         outcome.reason,
         outcome.message);
    if (outcome.reason == api::Reason::datastore_external) {
      add_missing(api::ArtifactType::datastore, done.error());
      if (order.verification == api::Verification::boot) {
        note_proof(not_proven(api::Reason::proof_unavailable,
                              "the datastore is not on this host: there is nothing to boot from"));
      }
      return {}; // the other artifacts are worth having
    }
  }
  RB_TRY(done);
  return check_stop(control, step::k_encrypting_snapshot);
}

} // namespace rb::agent
