// The Helm artifact before encryption: helm-values-<ts>.tar.gz with one <namespace>/<release>.yaml
// a release, and index.json (docs/artifact-format.md). Pure: equal input gives equal bytes.
#pragma once

#include "api/backup_status.hpp"
#include "base/clock.hpp"
#include "helm/release.hpp"

#include <vector>

namespace rb::helm {

struct Payload {
  SecretBytes tar_gz;
  api::HelmStatus status;
};

/// `collected_at` becomes the time of the files and stands in the index. A release whose name would
/// not make a safe path, or the same one given twice, joins the undecodable list; the others stay.
/// A release that lies in both Secrets and ConfigMaps gives two files: the one of the ConfigMap is
/// `<namespace>/<release>@configmap.yaml`.
/// Errors: internal (the archive could not be made).
[[nodiscard]] Result<Payload> build_payload(std::vector<Release> releases,
                                            std::vector<api::UndecodableRelease> undecodable,
                                            SystemTime collected_at);

} // namespace rb::helm
