#include "controller/helm_releases.hpp"

#include "base/secret_bytes.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

namespace rb::controller {

namespace {

constexpr unsigned k_get_workers = 4;
/// How often a release is looked for anew whose newest revision is gone when it is to be read.
constexpr int k_rounds = 3;

/// Where an object lies. The kind is that of the storage which is being read.
using Place = std::pair<std::string, std::string>;

Place place_of(const helm::StoredRelease& stored) {
  return {stored.name_space, stored.object_name};
}

/// Turns objects into releases; what was wanted and not yet seen stays in `wanted`.
class Decoder {
public:
  explicit Decoder(helm::Collector& collector) : m_collector(collector) {}

  void want(helm::StoredRelease stored) {
    Place place = place_of(stored);
    m_wanted.emplace(std::move(place), std::move(stored));
  }

  void decode_page(nlohmann::json& items) {
    for (nlohmann::json& item : items) {
      decode(item);
    }
  }

  /// Objects that nobody wants are passed over.
  void decode(nlohmann::json& object) {
    const auto found = m_wanted.find(place_of(stored_release(helm::StorageKind::secret, object)));
    if (found == m_wanted.end()) {
      return;
    }
    const helm::StoredRelease stored = std::move(found->second);
    m_wanted.erase(found);
    std::string* data = release_data(object);
    m_collector.add(stored, data == nullptr ? std::string_view{} : *data);
    if (data != nullptr) {
      wipe({reinterpret_cast<std::uint8_t*>(data->data()), data->size()});
    }
  }

  void give_up(const Place& place, const Error& error) {
    const auto found = m_wanted.find(place);
    if (found != m_wanted.end()) {
      m_collector.add_unread(found->second, error);
      m_wanted.erase(found);
    }
  }

  /// The object is gone. Its release may have another by now.
  void note_gone(const Place& place) {
    const auto found = m_wanted.find(place);
    if (found != m_wanted.end()) {
      m_gone.push_back(std::move(found->second));
      m_wanted.erase(found);
    }
  }
  [[nodiscard]] std::vector<helm::StoredRelease> take_gone() { return std::exchange(m_gone, {}); }

  [[nodiscard]] std::vector<Place> still_wanted() const {
    std::vector<Place> places;
    for (const auto& [place, stored] : m_wanted) {
      places.push_back(place);
    }
    return places;
  }

private:
  helm::Collector& m_collector;
  std::map<Place, helm::StoredRelease> m_wanted;
  std::vector<helm::StoredRelease> m_gone;
};

/// Hands pages from the thread that fetches to the one that decodes, one at a time: the next page
/// is on its way while the last is decoded.
class Handover {
public:
  bool put(nlohmann::json page) {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [&] { return !m_page || m_closed; });
    if (m_closed) {
      return false;
    }
    m_page = std::move(page);
    m_changed.notify_all();
    return true;
  }
  std::optional<nlohmann::json> take() {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [&] { return m_page || m_closed; });
    std::optional<nlohmann::json> page = std::move(m_page);
    m_page.reset();
    m_changed.notify_all();
    return page;
  }
  void close() {
    const std::lock_guard lock(m_mutex);
    m_closed = true;
    m_changed.notify_all();
  }

private:
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::optional<nlohmann::json> m_page;
  bool m_closed = false;
};

/// What cannot be listed is left to decode_singly.
Status decode_pages(kube::Client& client,
                    const HelmStorage& storage,
                    Decoder& decoder,
                    std::stop_token stop) {
  Handover pages;
  Result<std::vector<Unlisted>> result{std::vector<Unlisted>{}};
  {
    const std::jthread fetcher([&] {
      // A list that starts over brings objects again; those that were decoded are not wanted any
      // more, so `begin` needs no answer.
      const ListSink sink{[](const std::string&) {},
                          [&](nlohmann::json items) { pages.put(std::move(items)); }};
      result = list_everywhere(client, storage.type, storage.not_superseded, sink, stop);
      pages.close();
    });
    while (auto page = pages.take()) {
      decoder.decode_page(*page);
    }
  }
  return result || is_of_content(result.error()) ? Status() : Status(result.error());
}

/// Whatever the pages did not bring: superseded by now, or never anything else. Errors: those that
/// are of no single object.
Status decode_singly(kube::Client& client,
                     const HelmStorage& storage,
                     Decoder& decoder,
                     std::stop_token stop) {
  const std::vector<Place> places = decoder.still_wanted();
  std::size_t next = 0;
  std::mutex mutex;
  Status result;
  const auto work = [&] {
    std::unique_lock lock(mutex);
    while (result && next < places.size() && !stop.stop_requested()) {
      const Place& place = places[next++];
      lock.unlock();
      auto object = client.get({storage.type, place.first, place.second, {}}, stop, keeps_key);
      lock.lock();
      if (object) {
        decoder.decode(*object);
      } else if (object.error().code == ErrorCode::not_found) {
        decoder.note_gone(place);
      } else if (is_of_all(object.error())) {
        result = object.error();
      } else {
        decoder.give_up(place, object.error());
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 1; i < std::min<std::size_t>(k_get_workers, places.size()); ++i) {
      workers.emplace_back(work);
    }
    work();
  }
  if (stop.stop_requested()) {
    return Error{ErrorCode::cancelled, "Helm releases: cancelled", {}};
  }
  return result;
}

ListSink sink_of(NewestRevisions& newest) {
  return {[&](const std::string& name_space) { newest.forget(name_space); },
          [&](const nlohmann::json& items) { newest.add(items); }};
}

kube::ListOptions metadata_of(const HelmStorage& storage) {
  kube::ListOptions options = storage.all;
  options.metadata_only = true;
  options.page_size = k_first_metadata_page;
  return options;
}

/// Identity of a release within its storage; nothing where the object does not tell.
std::optional<Place> release_of(const helm::StoredRelease& stored) {
  const auto key = helm::release_key(stored);
  return key ? std::optional(Place{key->name_space, key->name}) : std::nullopt;
}

/// A namespace of which objects are missing, as an entry of the list.
helm::StoredRelease all_of(const HelmStorage& storage, const std::string& name_space) {
  helm::StoredRelease stored;
  stored.kind = storage.kind;
  stored.name_space = name_space;
  stored.object_name = "*";
  return stored;
}

/// Releases whose newest revision was gone when it was to be read: upgraded, or uninstalled. What
/// is the newest now is wanted; a release that has none any more is no release.
Status look_again(kube::Client& client,
                  const HelmStorage& storage,
                  const std::vector<helm::StoredRelease>& gone,
                  helm::Collector& collector,
                  Decoder& decoder,
                  std::stop_token stop) {
  std::map<std::string, std::set<Place>> releases; // by namespace
  for (const helm::StoredRelease& stored : gone) {
    if (auto release = release_of(stored)) {
      releases[stored.name_space].insert(*std::move(release));
    }
  }
  for (const auto& [name_space, wanted] : releases) {
    NewestRevisions newest(storage.kind);
    Status listed = list_namespace(
        client, storage.type, name_space, metadata_of(storage), sink_of(newest), stop);
    if (!listed && is_of_all(listed.error())) {
      return listed;
    }
    if (!listed) {
      collector.add_unread(all_of(storage, name_space), Error(listed.error()).within("not listed"));
    }
    for (helm::StoredRelease& stored : std::move(newest).take()) {
      const auto release = release_of(stored);
      if (release && wanted.contains(*release)) {
        decoder.want(std::move(stored));
      }
    }
  }
  return {};
}

Status want_newest(kube::Client& client,
                   const HelmStorage& storage,
                   helm::Collector& collector,
                   Decoder& decoder,
                   std::stop_token stop) {
  NewestRevisions newest(storage.kind);
  RB_TRY_ASSIGN(const std::vector<Unlisted> unlisted,
                list_everywhere(client, storage.type, metadata_of(storage), sink_of(newest), stop));
  for (const Unlisted& one : unlisted) {
    collector.add_unread(all_of(storage, one.name_space), Error(one.error).within("not listed"));
  }
  for (const std::string& name_space : newest.left_out()) {
    collector.add_unread(all_of(storage, name_space),
                         {ErrorCode::unsupported,
                          "too many: the cluster has more than " +
                              std::to_string(k_releases_limit) +
                              " releases, and most of them are here; some were not read",
                          {}});
  }
  for (helm::StoredRelease& stored : std::move(newest).take()) {
    decoder.want(std::move(stored));
  }
  return {};
}

Status read_storage(kube::Client& client,
                    const HelmStorage& storage,
                    helm::Collector& collector,
                    std::stop_token stop) {
  Decoder decoder(collector);
  RB_TRY(want_newest(client, storage, collector, decoder, stop));
  if (decoder.still_wanted().empty()) {
    return {};
  }
  RB_TRY(decode_pages(client, storage, decoder, stop));
  for (int round = 1;; ++round) {
    RB_TRY(decode_singly(client, storage, decoder, stop));
    const std::vector<helm::StoredRelease> gone = decoder.take_gone();
    if (gone.empty()) {
      return {};
    }
    if (round == k_rounds) {
      for (const helm::StoredRelease& stored : gone) {
        collector.add_unread(
            stored, {ErrorCode::not_found, "gone: it changed each time that it was read", {}});
      }
      return {};
    }
    RB_TRY(look_again(client, storage, gone, collector, decoder, stop));
  }
}

} // namespace

Result<HelmInventory>
read_helm_releases(kube::Client& client, std::stop_token stop, helm::Budget budget) {
  helm::Collector collector(budget);
  RB_TRY(read_storage(client, secret_storage(), collector, stop));
  RB_TRY(read_storage(client, config_map_storage(), collector, stop));
  HelmInventory inventory = std::move(collector).take();
  settle_chart_owners(client, inventory, std::move(stop));
  return inventory;
}

} // namespace rb::controller
