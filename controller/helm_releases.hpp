// Reads the newest revision of every Helm release of the cluster over the API: Secrets and
// ConfigMaps, page by page; pages adapt to the size of what is in them, and come namespace by
// namespace where the whole cannot be had.
// Guarantees: a release that cannot be read or decoded is reported and hides no other, and so is a
// namespace that cannot be listed; at most two pages of about 4 MiB and one release a worker are in
// memory besides the result, which stays within its budget. Of an answer only what is used here is
// kept in memory; a page of several objects is at most k_page_limit_bytes long.
#pragma once

#include "helm/artifact.hpp"
#include "helm/stored_release.hpp"
#include "kube/client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <map>
#include <set>
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

/// Pages that shrink when an answer is too large or does not come in time, down to one object, and
/// that start over when the token expired. Where that cannot be had (one object that is too large,
/// or that the server itself cannot read), the namespaces are listed one by one.
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

/// A cluster has some hundreds. Each takes some 700 bytes.
inline constexpr std::size_t k_releases_limit = 20'000;

/// Which object holds the newest revision of each release, gathered from pages of metadata.
/// Guarantee: however many objects there are, no more than `limit` are kept; where there are more,
/// the namespace that has the most of them loses some, and no other.
class NewestRevisions {
public:
  explicit NewestRevisions(helm::StorageKind kind, std::size_t limit = k_releases_limit)
      : m_kind(kind), m_limit(limit) {}

  /// What was seen of the namespace, or of all where it is empty.
  void forget(const std::string& name_space);
  void add(const nlohmann::json& items);

  /// Namespaces of which some objects were left out.
  [[nodiscard]] const std::set<std::string>& left_out() const { return m_left_out; }
  [[nodiscard]] std::vector<helm::StoredRelease> take() &&;

private:
  void merge(const std::string& name_space, std::vector<helm::StoredRelease> more);
  void make_room();

  helm::StorageKind m_kind;
  std::size_t m_limit;
  std::size_t m_count = 0;
  std::map<std::string, std::vector<helm::StoredRelease>> m_by_namespace;
  std::set<std::string> m_left_out;
};

using HelmInventory = helm::Inventory;

/// Metadata first, which tells the newest revisions; then their contents: by pages of what is not
/// superseded, and one by one where that missed some. Then the HelmCharts that install them.
/// Errors: those of Client::list_page (nothing was listed; 403 and the like), cancelled.
[[nodiscard]] Result<HelmInventory>
read_helm_releases(kube::Client& client, std::stop_token stop, helm::Budget budget = {});

/// Which releases k3s installs by itself: its helm-controller marks neither a release nor the
/// Secret that Helm keeps it in, so the HelmCharts are asked. Gives each release that has no other
/// owner the HelmChart that installs it, where there is one, and takes it from those that are only
/// named like what k3s brings: who switches k3s's traefik off may install his own, and so may who
/// switches the helm-controller off, with which the kind goes. Asks nothing where every release has
/// another owner. Where HelmCharts cannot be listed (a role of an older version), all stays as it
/// was guessed: owners decide on words, never on what is kept.
void settle_chart_owners(kube::Client& client, helm::Inventory& inventory, std::stop_token stop);

} // namespace rb::controller
