// The typed calls of the Kubernetes API that we use. Objects are nlohmann::json.
#pragma once

#include "kube/resource.hpp"
#include "kube/retry.hpp"
#include "kube/runtime.hpp"
#include "kube/transport.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <stop_token>
#include <string>

namespace rb::kube {

struct ClientOptions {
  std::chrono::milliseconds request_timeout{std::chrono::seconds(30)};
  unsigned attempts = 4; ///< Of one call, the first included; 1 never retries.
  BackoffPolicy backoff{std::chrono::milliseconds(250), std::chrono::seconds(5), {}};
  std::size_t body_limit_bytes = k_default_body_limit_bytes;
  std::string user_agent; ///< Not sent when empty.
};

/// Which keys of an object are kept while an answer is read; its own have the depth 0. What is not
/// kept takes no memory. Null: all.
using KeepKey = bool (*)(int depth, std::string_view key);

struct ListOptions {
  std::string label_selector;
  std::string field_selector;
  unsigned page_size = 500;   ///< 0: one page, the server's choice.
  bool metadata_only = false; ///< PartialObjectMetadata: `metadata` of each item, nothing else.
  std::size_t body_limit_bytes = 0; ///< Of one page; 0: as the client's options say.
  KeepKey keep = nullptr;           ///< Of each item.
};

struct ListPage {
  nlohmann::json items;         ///< An array.
  std::string resource_version; ///< Of the list; a watch starts from it.
  std::string continue_token;   ///< Empty: this was the last page.
  std::size_t body_bytes = 0;   ///< Of the answer as it came.
};

enum class PatchType { merge, json, apply };

/// Calls by one or many threads at once. Every failure carries code, http_status, retry_after and
/// a message "METHOD path: reason". Codes: invalid_argument (400, 422, bad names), unauthenticated,
/// permission_denied (403), not_found, already_exists and conflict (409, by the server's reason),
/// gone (410), throttled (429), timeout, unavailable (5xx, no connection), unsupported, corrupt (an
/// answer that is not what it should be), cancelled.
/// Calls that may be repeated are, with back-off, after 429, 5xx and lost connections.
class Client {
public:
  /// `transport` and what `runtime` points at outlive the client.
  explicit Client(Transport& transport, Runtime runtime = {}, ClientOptions options = {});

  [[nodiscard]] Result<nlohmann::json>
  get(const ObjectRef& ref, std::stop_token stop = {}, KeepKey keep = nullptr);

  /// One page. `continue_token` empty: the first.
  [[nodiscard]] Result<ListPage> list_page(const ResourceType& type,
                                           std::string_view name_space,
                                           const ListOptions& options,
                                           const std::string& continue_token = {},
                                           std::stop_token stop = {});

  /// Called for each page in order; `first` says that what came before must be forgotten (it is
  /// true for the first page, and again when the token expired (410) and the list began anew).
  using PageHandler = std::function<Status(ListPage page, bool first)>;

  /// All pages, with fewer objects where an answer is too large. An expired token starts the list
  /// over, three times at most.
  [[nodiscard]] Status list(const ResourceType& type,
                            std::string_view name_space,
                            const ListOptions& options,
                            const PageHandler& handler,
                            std::stop_token stop = {});

  /// All items in one array; for lists that are known to be small.
  [[nodiscard]] Result<nlohmann::json> list_all(const ResourceType& type,
                                                std::string_view name_space,
                                                const ListOptions& options = {},
                                                std::stop_token stop = {});

  /// `object` names itself (metadata.name; generateName is refused: a POST may arrive twice).
  /// already_exists after a lost answer can mean our own object: callers look at it.
  [[nodiscard]] Result<nlohmann::json> create(const ResourceType& type,
                                              std::string_view name_space,
                                              const nlohmann::json& object,
                                              std::stop_token stop = {});

  /// PUT. `object` must carry metadata.resourceVersion: conflict when it changed since.
  [[nodiscard]] Result<nlohmann::json>
  replace(const ObjectRef& ref, const nlohmann::json& object, std::stop_token stop = {});

  /// `ref.subresource` = "status" patches the status. A merge patch may carry
  /// metadata.resourceVersion as its precondition. `apply` needs `field_manager` and forces.
  [[nodiscard]] Result<nlohmann::json> patch(const ObjectRef& ref,
                                             PatchType type,
                                             const nlohmann::json& patch,
                                             std::stop_token stop = {},
                                             std::string_view field_manager = {});

  /// Deletes in the background. `uid`, when given, must be that of the object (else conflict).
  /// Errors: not_found when there is none.
  [[nodiscard]] Status
  remove(const ObjectRef& ref, std::string_view uid = {}, std::stop_token stop = {});

  [[nodiscard]] Transport& transport() { return m_transport; }
  [[nodiscard]] const Runtime& runtime() const { return m_runtime; }
  [[nodiscard]] const ClientOptions& options() const { return m_options; }

private:
  /// `body_limit_bytes` 0: as the options say.
  [[nodiscard]] Result<Response> call(Request request,
                                      const ResourceType& type,
                                      const std::stop_token& stop,
                                      std::size_t body_limit_bytes = 0);
  [[nodiscard]] Result<Response>
  attempt(const Request& request, const ResourceType& type, const std::stop_token& stop);
  /// How an answer is read.
  struct Reading {
    KeepKey keep = nullptr;
    int depth = 0; ///< Of the keys that `keep` is asked of first, in the body.
    std::size_t body_limit_bytes = 0;
    std::size_t* body_bytes = nullptr; ///< Set to the size of the body, where it is given.
  };
  [[nodiscard]] Result<nlohmann::json> call_json(Request request,
                                                 const ResourceType& type,
                                                 const std::stop_token& stop,
                                                 const Reading& reading);

  Transport& m_transport;
  Runtime m_runtime;
  ClientOptions m_options;
};

} // namespace rb::kube
