// The etcd artifact: datastore, snapshot, encryption, and the removal of the plaintext.
#include "agent/run/leftovers.hpp"
#include "agent/run/run_state.hpp"
#include "datastore/etcd/snapshot.hpp"
#include "k3s/datastore.hpp"
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
#include <optional>
#include <thread>

namespace rb::agent {

namespace {

constexpr int k_nice = 10;
// linux/ioprio.h: IOPRIO_WHO_PROCESS, and IOPRIO_CLASS_IDLE above IOPRIO_CLASS_SHIFT.
constexpr int k_this_thread = 1;
constexpr int k_idle_class = 3 << 13;

/// Runs `work`, which must not be in the way of etcd, on a thread of its own, with a nice value of
/// 10 and the idle I/O class (ioprio_set(2)), which the threads that it starts inherit, and waits
/// for it. Where the kernel refuses, it runs as usual.
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
      const auto removed =
          remove_snapshot(m_run.ports.processes, m_run.k3s.command, directory, name);
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

/// Lets lib/age write into an artifact, and remembers whose failure it was.
class WriterSink final : public age::Sink {
public:
  explicit WriterSink(set::ArtifactWriter& writer) : m_writer(writer) {}

  [[nodiscard]] Status write(ByteView bytes) override {
    Status written = m_writer.write(bytes);
    m_failed = m_failed || !written;
    return written;
  }

  /// A write of the artifact failed: the disk is to blame, not the source.
  [[nodiscard]] bool failed() const { return m_failed; }

private:
  set::ArtifactWriter& m_writer;
  bool m_failed = false;
};

Error invalid(const SavedSnapshot& saved, const Error& error) {
  return Error{error.code,
               saved.name + ": the snapshot is not sound: " + error.message,
               "nothing of it was kept; see whether the disk of k3s's snapshot directory is "
               "full, and start the backup again"}
      .because(api::Reason::snapshot_invalid);
}

/// Reads, hashes, encrypts, hashes and writes in one pass.
Status encrypt(BackupRun& run,
               const Fd& fd,
               const std::string& path,
               set::ArtifactWriter& writer,
               etcd::TrailerCheck& trailer) {
  const auto total = file_size(fd, path);
  if (!total) {
    return Error(total.error()).because(api::Reason::snapshot_failed);
  }
  age::FdSource source(fd, path);
  WriterSink sink(writer);
  age::StreamOptions options;
  options.threads = run.settings.encryption_threads;
  options.stop = run.control.token();
  options.on_plaintext = [&trailer](ByteView bytes) { trailer.update(bytes); };
  options.progress = [&](std::uint64_t done) {
    run.enter(step::k_encrypting_snapshot, done, *total);
  };
  const auto summary = age::encrypt(source, sink, run.recipients, options);
  if (summary) {
    return {};
  }
  return run.stopped_or(step::k_encrypting_snapshot,
                        sink.failed()
                            ? summary.error()
                            : Error(summary.error()).because(api::Reason::snapshot_failed));
}

Result<etcd::SnapshotInfo>
look_inside(const BackupRun& run, const Fd& fd, const std::string& path) {
  // One open file for both readers: a retention run of k3s may remove the name meanwhile.
  Fd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) {
    return system_error(errno, path);
  }
  RB_TRY_ASSIGN(const auto reader, etcd::FileReader::open(std::move(copy), path));
  etcd::InspectLimits limits;
  limits.wanted_key = k3s::node_key(run.settings.node_name);
  return etcd::inspect(*reader, limits, run.control.token());
}

set::SnapshotRecord record_of(const SavedSnapshot& saved,
                              const etcd::TrailerDigests& digests,
                              const etcd::SnapshotInfo& info) {
  set::SnapshotRecord record;
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

/// From the plaintext snapshot to the verified artifact: the pass, then the look into the bbolt
/// file, then the read-back. Nothing has its final name before all of it was right. Reasons:
/// snapshot_invalid (empty, truncated, wrong digest, not a sound bbolt file), snapshot_failed (it
/// cannot be read, it is gone), the storage reasons, those of a stop. After a failure the directory
/// is as it was.
Status store(BackupRun& run, const SavedSnapshot& saved) {
  const auto fd = open_regular(saved.path);
  if (!fd) {
    return Error(fd.error()).because(api::Reason::snapshot_failed);
  }
  RB_TRY_ASSIGN(
      auto writer,
      set::ArtifactWriter::create(
          *run.directory, api::file_name(api::ArtifactType::etcd_snapshot, run.order.run_id)));
  etcd::TrailerCheck trailer;
  RB_TRY(encrypt(run, *fd, saved.path, writer, trailer));
  const auto digests = trailer.finish();
  if (!digests) {
    return invalid(saved, digests.error());
  }
  const auto info = look_inside(run, *fd, saved.path);
  if (!info) {
    return run.stopped_or(step::k_encrypting_snapshot, invalid(saved, info.error()));
  }
  const auto file = writer.commit(run.control.token());
  if (!file) {
    return run.stopped_or(step::k_encrypting_snapshot, file.error());
  }
  if (info->wanted_value) {
    run.node = {objects::stored_annotation(*info->wanted_value, k3s::k_node_args),
                objects::stored_annotation(*info->wanted_value, k3s::k_node_env)};
  }
  run.manifest.snapshot = record_of(saved, *digests, *info);
  run.add_stored(api::ArtifactType::etcd_snapshot, *file);
  return {};
}

void note_taken(BackupRun& run) {
  run.note(api::condition_type::k_snapshot_taken,
           api::ConditionStatus::true_,
           api::Reason::completed,
           "snapshot " + run.manifest.snapshot->name + ": revision " +
               std::to_string(run.manifest.snapshot->revision) + ", " +
               std::to_string(run.manifest.snapshot->total_keys) + " keys");
}

void note_not_requested(BackupRun& run) {
  run.note(api::condition_type::k_snapshot_taken,
           api::ConditionStatus::false_,
           api::Reason::not_requested,
           "EtcdSnapshot is not in spec.artifacts");
  if (run.order.verification == api::Verification::boot) {
    run.note_proof(
        not_proven(api::Reason::proof_unavailable,
                   "EtcdSnapshot is not in spec.artifacts: there is nothing to boot from"));
  }
}

Status take_and_store(BackupRun& run) {
  const std::string& data_dir = run.settings.data_dir;
  const Status is_etcd = k3s::check_is_etcd(
      k3s::detect_datastore(k3s::probe_datastore(data_dir, run.k3s.settings)), data_dir);
  if (!is_etcd) {
    return Error(is_etcd.error()).because(api::Reason::datastore_not_etcd);
  }
  run.enter(step::k_taking_snapshot);
  RB_TRY(mark_unfinished(*run.directory, run.order.run_id));
  PlaintextGuard guard(run);
  RB_TRY_ASSIGN(const SavedSnapshot saved,
                save_snapshot(run.ports.processes,
                              run.settings,
                              run.k3s,
                              run.order.run_id,
                              run.control,
                              run.ports.wait));
  guard.save_has_ended();
  run.enter(step::k_encrypting_snapshot);
  Status stored;
  run_politely([&] { stored = store(run, saved); });
  RB_TRY(stored);
  note_taken(run);
  // The plaintext goes with the guard: until then it can be booted from, without any key.
  return run.prove_snapshot(saved.path);
}

} // namespace

Status BackupRun::back_up_etcd() {
  if (!order.wants(api::ArtifactType::etcd_snapshot)) {
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
  }
  RB_TRY(done);
  return check_stop(control, step::k_encrypting_snapshot);
}

} // namespace rb::agent
