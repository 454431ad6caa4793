#include "restore/cluster/lost_objects.hpp"

#include "datastore/keys/keys.hpp"
#include "k3s/command.hpp"
#include "objects/local_api.hpp"
#include "objects/self_made.hpp"
#include "objects/served.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace rb::cluster {

namespace {

using objects::Contents;
using objects::ServedObject;
using objects::StoredObject;

using Keys = std::vector<std::string>;

/// Of the snapshot, by kind, without what no API lists.
std::map<std::string, Keys> keys_by_kind(const Contents& contents) {
  std::map<std::string, Keys> kinds;
  for (const auto& [key, object] : contents.objects) {
    if (!objects::is_unserved(key)) {
      kinds[datastore::object_kind("/registry/" + key).value_or("")].push_back(key);
    }
  }
  return kinds;
}

std::string numbers(const std::string& kind, std::uint64_t here, std::uint64_t there) {
  return kind + ": " + std::to_string(here) + ", the backup has " + std::to_string(there);
}

/// "configmaps/shop/settings" of kind "configmaps" as "configmaps shop/settings".
std::string name_of(const std::string& kind, const std::string& key) {
  return kind + " " + key.substr(std::min(kind.size() + 1, key.size()));
}

/// The objects of the snapshot by their uid. `contents` outlives it.
class Owners {
public:
  explicit Owners(const Contents& contents) {
    for (const auto& [key, object] : contents.objects) {
      if (!object.metadata.uid.empty()) {
        m_by_uid.emplace(object.metadata.uid, Owner{key, &object.metadata});
      } else {
        m_some_unread = m_some_unread || !objects::is_unserved(key);
      }
    }
  }

  /// Why what that one owns may be gone: the garbage collector goes after its owner.
  [[nodiscard]] std::optional<std::string_view> why_gone_with(const std::string& uid) const {
    const auto found = m_by_uid.find(uid);
    if (found == m_by_uid.end()) { // an object whose uid cannot be read may be the one
      return m_some_unread ? std::optional<std::string_view>()
                           : "its owner was gone already when the backup was made";
    }
    const auto& [key, metadata] = found->second;
    if (metadata->deleting) {
      return "its owner was being deleted when the backup was made";
    }
    if (objects::self_made(key, metadata->controlled) != nullptr) {
      return "its owner comes and goes by itself, and it goes with that";
    }
    return std::nullopt;
  }

private:
  struct Owner {
    std::string_view key;
    const objects::StoredMetadata* metadata = nullptr;
  };

  std::unordered_map<std::string_view, Owner> m_by_uid;
  bool m_some_unread = false;
};

bool is_deleting(const Contents& contents, const std::string& key) {
  const auto found = contents.objects.find(key);
  return found != contents.objects.end() && found->second.metadata.deleting;
}

/// Of "KIND/NAMESPACE/NAME".
std::string name_space_of(const std::string& key) {
  const std::size_t name = key.rfind('/');
  const std::size_t space =
      name == std::string::npos || name == 0 ? name : key.rfind('/', name - 1);
  return space == std::string::npos ? std::string() : key.substr(space + 1, name - space - 1);
}

std::optional<std::string_view>
why_gone(const std::string& key, const Contents& contents, const Owners& owners) {
  const auto found = contents.objects.find(key);
  const objects::StoredMetadata metadata =
      found == contents.objects.end() ? objects::StoredMetadata() : found->second.metadata;
  if (const objects::SelfMade* const row = objects::self_made(key, metadata.controlled)) {
    return row->reason;
  }
  if (metadata.deleting) {
    return "it was being deleted when the backup was made";
  }
  if (is_deleting(contents, "namespaces/" + name_space_of(key))) {
    return "its namespace was being deleted when the backup was made";
  }
  return metadata.owner.empty() ? std::nullopt : owners.why_gone_with(metadata.owner);
}

class Comparer {
public:
  Comparer(objects::ApiPort& api, const Contents& contents, Waiter& waiter)
      : m_api(&api), m_contents(&contents), m_owners(contents), m_waiter(&waiter) {}

  /// A kind that is refused is a difference, and does not hide the others.
  Status take(const objects::Resource& resource, const Keys& stored) {
    const objects::SelfMade* const row = objects::self_made_kind(resource.prefix);
    Status status = row != nullptr ? count(resource, stored.size(), *row) : list(resource, stored);
    m_result.kinds += status ? 1U : 0U;
    if (!status && status.error().http_status != 0) {
      m_result.differences.push_back(resource.prefix + ": not counted, " + status.error().message);
      return {};
    }
    return status;
  }

  void not_served(const std::string& kind) {
    if (kind != datastore::k_other_kind && objects::self_made_kind(kind) == nullptr) {
      m_result.differences.push_back(kind + ": not counted, the API has no such list");
    }
  }

  [[nodiscard]] ObjectComparison result() && { return std::move(m_result); }

private:
  Status
  count(const objects::Resource& resource, std::uint64_t stored, const objects::SelfMade& row) {
    RB_TRY_ASSIGN(const std::uint64_t here,
                  objects::count_objects(*m_api, resource.path, *m_waiter, {}));
    if (here < stored) {
      m_result.passing.add(numbers(resource.prefix, here, stored) + ": " + std::string(row.reason));
    }
    return {};
  }

  Status list(const objects::Resource& resource, const Keys& stored) {
    std::set<std::string> served;
    std::uint64_t added = 0;
    std::uint64_t unsayable = 0; ///< By their number, since names cannot tell them.
    const auto take = [&](const ServedObject& object) {
      std::string key =
          resource.prefix + "/" + (object.name_space.empty() ? "" : object.name_space + "/");
      key += object.name;
      if (objects::is_unsayable(object)) {
        ++unsayable;
        return;
      }
      const bool known = m_contents->objects.contains(key);
      added += known || objects::self_made(key, true) != nullptr ? 0U : 1U;
      if (known) {
        served.insert(std::move(key));
      }
    };
    RB_TRY(objects::list_objects(*m_api, {resource.path, 0}, *m_waiter, take, {}));
    std::uint64_t lost = 0;
    std::uint64_t expected = 0;
    for (const std::string& key : stored) {
      if (served.contains(key)) {
        ++expected;
      } else if (unsayable > 0 && !datastore::is_sayable(key)) {
        --unsayable;
        ++expected;
      } else if (const auto why = why_gone(key, *m_contents, m_owners)) {
        m_result.passing.add(name_of(resource.prefix, key) + ": " + std::string(*why));
      } else {
        ++expected;
        ++lost;
        m_result.missing.add(name_of(resource.prefix, key));
      }
    }
    added += unsayable;
    if (lost != added) {
      m_result.differences.push_back(numbers(resource.prefix, expected - lost + added, expected));
    }
    return {};
  }

  objects::ApiPort* m_api;
  const Contents* m_contents;
  const Owners m_owners;
  Waiter* m_waiter;
  ObjectComparison m_result;
};

} // namespace

void NamedObjects::add(std::string name) {
  ++count;
  if (first.size() < k_objects_named) {
    first.push_back(std::move(name));
  }
}

std::optional<std::string_view> why_gone(const std::string& key, const Contents& contents) {
  return why_gone(key, contents, Owners(contents));
}

Result<ObjectComparison> compare_objects(objects::ApiPort& api,
                                         const Contents& contents,
                                         const std::vector<objects::Resource>& served,
                                         Waiter& waiter) {
  std::map<std::string, Keys> stored = keys_by_kind(contents);
  Comparer comparer(api, contents, waiter);
  for (const objects::Resource& resource : served) {
    const auto kind = stored.find(resource.prefix);
    if (kind != stored.end()) {
      RB_TRY(comparer.take(resource, kind->second));
      stored.erase(kind);
    }
  }
  for (const auto& [kind, keys] : stored) {
    comparer.not_served(kind);
  }
  return std::move(comparer).result();
}

Result<objects::Contents> ProxiedClusterApi::contents(const std::string& snapshot_path) {
  return objects::read_contents_of(snapshot_path, {});
}

Result<std::unique_ptr<objects::ApiPort>> ProxiedClusterApi::connect(const k3s::Kubectl& kubectl,
                                                                     const std::string& directory) {
  return objects::start_proxy({kubectl.program,
                               kubectl.kubeconfig,
                               directory + "/api.sock",
                               k3s::environment_in(kubectl.data_dir)},
                              m_waiter);
}

} // namespace rb::cluster
