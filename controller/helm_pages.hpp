// One storage driver of Helm, as lists of the API: selectors, pages that adapt to the size of what
// is in them, namespace by namespace where the whole cannot be had.
// Guarantees: of an answer only what is used here is kept in memory; a page of several objects is
// at most k_page_limit_bytes long; one namespace that cannot be listed hides no other.
#pragma once

#include "helm/stored_release.hpp"
#include "kube/client.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::controller {

/// Of an answer with more than one object. A single one may be as large as the client allows: at
/// most 1.5 MiB in etcd, six times that where all of it must be escaped.
inline constexpr std::size_t k_page_limit_bytes = std::size_t{8} << 20U;

/// Objects of the first page of metadata; later ones follow from its size.
inline constexpr unsigned k_first_metadata_page = 500;

/// Which objects one driver keeps.
struct HelmStorage {
  helm::StorageKind kind{};
  kube::ResourceType type;
  kube::ListOptions all;            ///< Every revision.
  kube::ListOptions not_superseded; ///< Mostly the newest ones only.
};

[[nodiscard]] const HelmStorage& secret_storage();
[[nodiscard]] const HelmStorage& config_map_storage();

/// What of a stored object is used: its name, the labels that say what it is, its data.
[[nodiscard]] bool keeps_key(int depth, std::string_view key);

/// `object` may be a whole object or its metadata alone.
[[nodiscard]] helm::StoredRelease stored_release(helm::StorageKind kind,
                                                 const nlohmann::json& object);

/// The `release` key of an object's data, or null when there is none.
[[nodiscard]] std::string* release_data(nlohmann::json& object);

/// What a list brings, on one thread. `begin` says that what came of the namespace before (empty:
/// of all) must be forgotten: the list begins, or begins anew.
struct ListSink {
  std::function<void(const std::string& name_space)> begin;
  std::function<void(nlohmann::json items)> page;
};

/// A namespace of which not all could be listed.
struct Unlisted {
  std::string name_space;
  Error error;
};

/// Pages that are halved when an answer is too large, down to one object, and that start over when
/// the token expired. Where that cannot be had (one object that is too large, or that the server
/// itself cannot read), the namespaces are listed one by one.
/// Errors: those of Client::list_page that are of the whole (403, no connection), cancelled.
[[nodiscard]] Result<std::vector<Unlisted>> list_everywhere(kube::Client& client,
                                                            const kube::ResourceType& type,
                                                            const kube::ListOptions& options,
                                                            const ListSink& sink,
                                                            std::stop_token stop);

/// As list_everywhere, of one namespace. Errors: any.
[[nodiscard]] Status list_namespace(kube::Client& client,
                                    const kube::ResourceType& type,
                                    const std::string& name_space,
                                    const kube::ListOptions& options,
                                    const ListSink& sink,
                                    std::stop_token stop);

/// The failure is of what is in the answer, not of the server or of us: asking for less may help,
/// and asking again does not.
[[nodiscard]] bool is_of_content(const Error& error);

/// The API server is away, does not know us, or we are told to stop: no single object or namespace
/// is the reason.
[[nodiscard]] bool is_of_all(const Error& error);

} // namespace rb::controller
