#include "api/artifact_type.hpp"

namespace rb::api {

std::string_view to_string(ArtifactType type) {
  switch (type) {
  case ArtifactType::etcd_snapshot:
    return "EtcdSnapshot";
  case ArtifactType::helm_values:
    return "HelmValues";
  case ArtifactType::kubeconfig:
    return "Kubeconfig";
  case ArtifactType::host_state:
    return "HostState";
  }
  return "";
}

Result<ArtifactType> parse_artifact_type(std::string_view text) {
  for (const ArtifactType type : k_all_artifacts) {
    if (to_string(type) == text) {
      return type;
    }
  }
  return Error{ErrorCode::invalid_argument,
               "unknown artifact: " + std::string(text),
               "use EtcdSnapshot, HelmValues, Kubeconfig or HostState"};
}

std::string file_name(ArtifactType type, std::string_view run_id) {
  const std::string id(run_id);
  switch (type) {
  case ArtifactType::etcd_snapshot:
    return "etcd-" + id + ".snap.age";
  case ArtifactType::helm_values:
    return "helm-values-" + id + ".tar.gz.age";
  case ArtifactType::kubeconfig:
    return "kubeconfig-" + id + ".yaml.age";
  case ArtifactType::host_state:
    return "host-state-" + id + ".tar.gz.age";
  }
  return {};
}

} // namespace rb::api
