// The Helm artifact before encryption: helm-values-<ts>.tar.gz with one <namespace>/<release>.yaml
// a release, raw/<namespace>/<object> for what is no release, and index.json
// (docs/artifact-format.md); what it is made of, within one budget of memory; written and read. No
// I/O: equal input gives equal bytes.
#pragma once

#include "api/backup_status.hpp"
#include "archive/tar_gz.hpp"
#include "base/clock.hpp"
#include "helm/index.hpp"
#include "helm/limits.hpp"
#include "helm/release.hpp"

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rb::helm {

/// What was read of a cluster's releases.
struct Inventory {
  std::vector<Release> releases;
  std::vector<OddRelease> undecodable;
  std::int64_t unlisted = 0; ///< Undecodable ones, for which not even an entry had room.
};

/// Takes stored releases one by one, in any order. Not thread-safe.
///
/// Where the budget is passed, the namespace that has the most in it loses its largest release to a
/// mere entry in the list, until all fits: who stores much can harm nobody but himself.
class Collector {
public:
  explicit Collector(Budget budget = {}, const Limits& limits = {})
      : m_budget(budget), m_limits(limits) {}

  /// `api_data` as decode_release() takes it; empty: the object has none. What does not decode is
  /// kept as it was stored.
  void add(const StoredRelease& stored, std::string_view api_data);
  void add(Release release);
  void add(OddRelease odd);
  /// An object that is there and could not be read.
  void add_unread(const StoredRelease& stored, const Error& error);

  /// At most the budget.
  [[nodiscard]] std::size_t used_bytes() const { return m_used; }

  [[nodiscard]] Inventory take() &&;

private:
  using Item = std::variant<std::monostate, Release, OddRelease>;
  struct Namespace {
    std::size_t bytes = 0;
    std::set<std::pair<std::size_t, std::size_t>> items; ///< Size, and where in m_items.
  };

  void hold(const std::string& name_space, Item item);
  void enter(const std::string& name_space, std::size_t at);
  void make_room();

  Budget m_budget;
  Limits m_limits;
  std::vector<Item> m_items;
  std::map<std::string, Namespace> m_namespaces;
  std::size_t m_used = 0;
  std::int64_t m_unlisted = 0;
};

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
