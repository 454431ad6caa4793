// The Helm artifact before encryption: helm-values-<ts>.tar.gz with one <namespace>/<release>.yaml
// a release, raw/<namespace>/<object> for what is no release, and index.json
// (docs/artifact-format.md); written and read. Pure: equal input gives equal bytes.
#pragma once

#include "api/backup_status.hpp"
#include "archive/tar_gz.hpp"
#include "base/clock.hpp"
#include "helm/index.hpp"
#include "helm/inventory.hpp"
#include "helm/release.hpp"

#include <span>
#include <vector>

namespace rb::helm {

struct Payload {
  SecretBytes tar_gz;
  api::HelmStatus status;
};

/// `collected_at` becomes the time of the files and stands in the index. A release that no reader
/// could use (check_contents), or the same one given twice, joins the undecodable list; the others
/// stay. A release that lies in both Secrets and ConfigMaps gives two files: the one of the
/// ConfigMap is `<namespace>/<release>@configmap.yaml`. What is more than an archive may hold is
/// left out as a Collector leaves it out.
/// Errors: internal (the archive could not be made).
[[nodiscard]] Result<Payload> build_payload(Inventory inventory, SystemTime collected_at);
[[nodiscard]] Result<Payload> build_payload(std::vector<Release> releases,
                                            std::vector<OddRelease> undecodable,
                                            SystemTime collected_at);

/// What the files of an artifact are, as far as this version understands them.
struct Contents {
  Index index;
  /// What does not fit together, in words that may be shown. None of it makes the artifact damaged:
  /// it holds what the cluster had in it.
  std::vector<std::string> odd;
};

/// The reader's check, which the writer asks of what it has made. Errors: corrupt, unsupported
/// (there is no index.json that this version reads).
[[nodiscard]] Result<Contents> check_contents(std::span<const archive::Entry> entries,
                                              const Limits& limits = {});

} // namespace rb::helm
