// The cluster: which one is meant, how it is reached, what is there (a controller, BackupStatus),
// and how a command ends that could not do its work.
#pragma once

#include "cli/io.hpp"

#include "api/backup_status.hpp"
#include "base/error.hpp"
#include "kube/client_config.hpp"
#include "kube/lease.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rb::cli {

/// The kubeconfigs that are looked for: $KUBECONFIG's files, which make one, or without it those of
/// which the first counts: ~/.kube/config-hosteurope, /etc/rancher/k3s/k3s.yaml and ~/.kube/config.
/// k3s's own comes before ~/.kube/config: on a server, that server's cluster is meant.
[[nodiscard]] std::vector<std::string> kubeconfig_candidates(const kube::Environment& environment);

/// May this process read that file?
using Readable = std::function<bool(const std::string&)>;

/// The configuration for `choice`, or by the default search, the pod's service account last. The
/// files of $KUBECONFIG make one; of the others the first that has the context that is named.
/// Errors: unavailable (there is nothing to connect to; the hint says where was looked), and those
/// of kube::load_kubeconfig.
[[nodiscard]] Result<kube::ClientConfig> choose_cluster(const ClusterChoice& choice,
                                                        const kube::Environment& environment,
                                                        const Readable& readable);

/// choose_cluster with this process's environment and files, connected.
[[nodiscard]] Result<std::unique_ptr<Api>> connect_to_cluster(const ClusterChoice& choice);

/// That of the one table (base/error.hpp), but for what this program means by it: a wrong
/// argument is a wrong use, and an answer that can't be parsed is no damaged backup.
[[nodiscard]] ExitCode exit_code_of(const Error& error);

/// The answer to a call on all ClusterBackups was 404: the CRD is not there.
[[nodiscard]] Error not_installed(Error error);

/// Prints "railiance-backup: message" and the hint, ours where the error has none; returns the exit
/// code. `server` may be empty (no connection was made yet).
int fail(const Io& io, const Error& error, const std::string& server = {});

/// The same for a command that answers a question by its exit code (status, guard): no error has a
/// code that would be taken for an answer ("the newest backup is too old" of a timeout). 8, or 128
/// and the signal that ended it.
int fail_unanswered(const Io& io, const Error& error, const std::string& server = {});

/// Whether there is a controller. Its Lease says so, which it renews every two seconds.
enum class Presence {
  unknown,  ///< The Lease cannot be read, or is in a namespace that we don't know.
  there,    ///< Some controller holds it and renews it.
  released, ///< The last one ended, and no other came.
  silent,   ///< The last one does not renew it.
};

/// By one look. Nothing: only a second look can tell, since the clocks of two machines may differ.
[[nodiscard]] std::optional<Presence> judge_lease(const Result<kube::LeaseRecord>& seen,
                                                  SystemTime now);
/// By two looks that are longer apart than it takes to renew the Lease.
[[nodiscard]] Presence judge_lease(const kube::LeaseRecord& before,
                                   const Result<kube::LeaseRecord>& after);

/// "no controller leads: ...", or "" where there is one or nobody knows.
[[nodiscard]] std::string describe(Presence presence);

struct ControllerSeen {
  Presence presence = Presence::unknown;
  /// When it last renewed its Lease, by its own clock: of `there` alone, and then just now.
  std::optional<SystemTime> renewed;
};

/// Takes up to five seconds where the first look does not tell.
[[nodiscard]] ControllerSeen look_for_controller(Api& api, const Io& io);

/// What time it is in the cluster: `now`, but where that is far ahead of a Lease that is being
/// renewed, our clock is wrong, and its time counts. Pure.
[[nodiscard]] SystemTime cluster_time(const ControllerSeen& seen, SystemTime now);

/// The object BackupStatus. Errors: those of kube::Client::get, corrupt.
[[nodiscard]] Result<api::BackupStatus> read_backup_status(kube::Client& client,
                                                           const std::stop_token& stop);

} // namespace rb::cli
