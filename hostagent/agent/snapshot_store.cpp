#include "agent/snapshot_store.hpp"

#include "agent/polite.hpp"
#include "agent/writer_sink.hpp"
#include "datastore/etcd/snapshot.hpp"
#include "objects/contents.hpp"

#include "age/file.hpp"
#include "age/io.hpp"
#include "base/open_beneath.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace rb::agent {

namespace {

using Stored = std::variant<StoredSnapshot, Failure>;

Failure invalid(const StoreRequest& request, const Error& error) {
  return {api::Reason::snapshot_invalid,
          request.name + ": the snapshot is not sound: " + error.message,
          "nothing of it was kept; see whether the disk of k3s's snapshot directory is full, and "
          "start the backup again"};
}

/// One open file for both readers: a retention run of k3s may remove the name meanwhile.
Result<Fd> second_descriptor(const Fd& fd, const std::string& path) {
  const int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
  return copy >= 0 ? Result<Fd>(Fd(copy)) : Result<Fd>(system_error(errno, path));
}

Result<etcd::SnapshotInfo>
look_inside(const Fd& fd, const StoreRequest& request, std::stop_token stop) {
  RB_TRY_ASSIGN(Fd copy, second_descriptor(fd, request.path));
  RB_TRY_ASSIGN(const auto reader, etcd::FileReader::open(std::move(copy), request.path));
  etcd::InspectLimits limits;
  limits.wanted_key = k3s::node_key(request.node_name);
  return etcd::inspect(*reader, limits, stop);
}

k3s::NodeArguments node_of(const etcd::SnapshotInfo& info) {
  if (!info.wanted_value) {
    return {};
  }
  return {objects::stored_annotation(*info.wanted_value, k3s::k_node_args),
          objects::stored_annotation(*info.wanted_value, k3s::k_node_env)};
}

set::SnapshotRecord record_of(const StoreRequest& request,
                              const etcd::TrailerDigests& digests,
                              const etcd::SnapshotInfo& info) {
  set::SnapshotRecord record;
  record.name = request.name;
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

class Pass {
public:
  Pass(set::Directory& directory, const StoreRequest& request, const RunControl& control)
      : m_directory(directory), m_request(request), m_control(control) {}

  Stored run() {
    const auto fd = open_regular(m_request.path);
    if (!fd) {
      return failure_as(api::Reason::snapshot_failed, fd.error());
    }
    auto writer = set::ArtifactWriter::create(m_directory, m_request.file_name);
    if (!writer) {
      return storage_failure(writer.error());
    }
    if (auto failed = encrypt(*fd, *writer)) {
      return *failed;
    }
    const auto digests = m_trailer.finish();
    if (!digests) {
      return invalid(m_request, digests.error());
    }
    const auto info = look_inside(*fd, m_request, m_control.token());
    if (!info) {
      return stopped().value_or(invalid(m_request, info.error()));
    }
    auto file = writer->commit(m_control.token());
    if (!file) {
      return stopped().value_or(storage_failure(file.error()));
    }
    return StoredSnapshot{*file, record_of(m_request, *digests, *info), node_of(*info)};
  }

private:
  StepFailure encrypt(const Fd& fd, set::ArtifactWriter& writer) {
    const auto total = file_size(fd, m_request.path);
    if (!total) {
      return failure_as(api::Reason::snapshot_failed, total.error());
    }
    age::FdSource source(fd, m_request.path);
    WriterSink sink(writer);
    age::StreamOptions options;
    options.threads = m_request.threads;
    options.stop = m_control.token();
    options.on_plaintext = [this](ByteView bytes) { m_trailer.update(bytes); };
    options.progress = [this, &total](std::uint64_t done) { m_request.progress(done, *total); };
    const auto summary = age::encrypt(source, sink, m_request.recipients, options);
    if (summary) {
      return std::nullopt;
    }
    if (auto why = stopped()) {
      return why;
    }
    if (sink.failed()) {
      return storage_failure(summary.error());
    }
    return failure_as(api::Reason::snapshot_failed, summary.error());
  }

  [[nodiscard]] StepFailure stopped() const {
    return stop_failure(m_control.cause(), "EncryptingSnapshot");
  }

  set::Directory& m_directory;
  const StoreRequest& m_request;
  const RunControl& m_control;
  etcd::TrailerCheck m_trailer;
};

} // namespace

Stored
store_snapshot(set::Directory& directory, const StoreRequest& request, const RunControl& control) {
  std::optional<Stored> stored;
  run_politely([&] { stored = Pass(directory, request, control).run(); });
  return std::move(*stored);
}

} // namespace rb::agent
