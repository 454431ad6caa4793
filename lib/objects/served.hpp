// What an API server serves: its kinds and where in etcd their objects lie, and the metadata of all
// objects of a kind at one revision. What is built in and what is not is the server's own word, not
// a list of ours.
#pragma once

#include "objects/contents.hpp"
#include "objects/local_api.hpp"

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace rb::objects {

enum class Origin {
  built_in,
  custom,    ///< Of a custom resource definition.
  elsewhere, ///< Another server answers for it (metrics): its objects are not in this etcd.
};

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

struct Resource {
  std::string path;   ///< "/api/v1/pods", "/apis/apps/v1/deployments"
  std::string prefix; ///< Of its keys below /registry/: "pods", "services/specs"
};

struct Discovery {
  std::vector<Resource> resources;
  /// Versions of groups that are listed and answer nothing, as "/apis/example.com/v1: HTTP 503": of
  /// a definition that was removed meanwhile, or of another server that is not there.
  std::vector<std::string> unanswered;
};

/// Every kind that can be listed, each once, from discovery: the version that the server prefers.
/// What other servers answer for (aggregated APIs) is left out: its objects are not in this etcd.
/// Errors: those of ApiPort, unavailable (an answer of what is built in that is no success; its
/// `http_status` is set), corrupt.
[[nodiscard]] Result<Discovery> discover(ApiPort& api);

/// All that a snapshot defines: custom resources come some moments after a server is ready.
struct ServedKinds {
  std::vector<Resource> resources;
  /// Custom resource definitions ("widgets.example.com") of which the snapshot has objects, and
  /// which are not served.
  std::set<std::string> missing;
  std::vector<std::string> unanswered; ///< As of discover(): not served.
};

/// Asks until nothing is missing and all answer, at most for `patience`. Errors: those of
/// discover() (a refusal only when it has not passed by then), cancelled.
[[nodiscard]] Result<ServedKinds> served_kinds(ApiPort& api,
                                               const Contents& contents,
                                               Waiter& waiter,
                                               std::chrono::seconds patience,
                                               const std::stop_token& stop);

struct ServedObject {
  std::string name_space; ///< Empty: not namespaced.
  std::string name;
  std::string uid;
  std::string resource_version;
};

/// Its name may be another one: datastore::is_sayable.
[[nodiscard]] bool is_unsayable(const ServedObject& object);

struct ListOrder {
  std::string path;          ///< "/apis/apps/v1/deployments"
  std::int64_t revision = 0; ///< resourceVersion, matched exactly; 0: as things are now.
  bool without_pods = false; ///< No webhook will ever answer: what needs one is asked for once.
};

/// The server refuses a list because a webhook must convert what is stored, and does not answer.
[[nodiscard]] bool needs_webhook(const Error& error);

/// A page that is too large for an answer, or does not come in time, is asked for again in smaller
/// ones. Errors: those of ApiPort; with `http_status` set where the server refuses (its first words
/// in the message), also after five tries of what passes (429, 5xx); corrupt; cancelled.
[[nodiscard]] Status list_objects(ApiPort& api,
                                  const ListOrder& order,
                                  Waiter& waiter,
                                  const std::function<void(const ServedObject&)>& on_object,
                                  const std::stop_token& stop);

/// How many there are now; one of them is sent. Errors: as list_objects().
[[nodiscard]] Result<std::uint64_t>
count_objects(ApiPort& api, const std::string& path, Waiter& waiter, const std::stop_token& stop);

} // namespace rb::objects
