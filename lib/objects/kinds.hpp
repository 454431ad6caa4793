// The kinds of an API server: which of them it keeps in etcd, and where. What is built in and what
// is not is the server's own word, not a list of ours.
#pragma once

#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>

namespace rb::objects {

enum class Origin {
  built_in,
  custom,    ///< Of a custom resource definition.
  elsewhere, ///< Another server answers for it (metrics): its objects are not in this etcd.
};

/// Where the list lies that ApiServices reads.
inline constexpr const char* k_api_services_path = "/apis/apiregistration.k8s.io/v1/apiservices";

/// Who answers for each group and version. The API server registers what is built in "onstart", and
/// what definitions bring as they come (k8s.io/kube-aggregator, label automanaged); an API of
/// another server names its service.
class ApiServices {
public:
  /// An APIServiceList. Errors: corrupt.
  [[nodiscard]] static Result<ApiServices> parse(std::string_view text_of_list);

  /// `group` is empty for the core. What is not listed is custom: it has come meanwhile.
  [[nodiscard]] Origin origin(std::string_view group, std::string_view version) const;

private:
  std::map<std::string, Origin, std::less<>> m_origins; ///< By "v1.apps".
};

/// Where the objects of a kind lie below /registry/ (k8s.io/kubernetes, DefaultStorageFactory):
/// custom resources under their group, built-in ones by their plural but for a few. "pods",
/// "services/specs", "helm.cattle.io/helmcharts".
[[nodiscard]] std::string
storage_prefix(std::string_view group, std::string_view plural, Origin origin);

/// "/api/v1", "/apis/apps/v1"
[[nodiscard]] std::string path_of(std::string_view group, std::string_view version);

} // namespace rb::objects
