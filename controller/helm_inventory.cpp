#include "controller/helm_inventory.hpp"

#include "controller/helm_pages.hpp"

#include "base/secret_bytes.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace rb::controller {

namespace {

constexpr unsigned k_get_workers = 4;

/// Where an object lies. The kind is that of the storage which is being read.
using Place = std::pair<std::string, std::string>;

Place place_of(const helm::StoredRelease& stored) {
  return {stored.name_space, stored.object_name};
}

/// Turns objects into releases; what was wanted and not yet seen stays in `wanted`.
class Decoder {
public:
  Decoder(helm::Collector& collector, const std::vector<helm::StoredRelease>& newest)
      : m_collector(collector) {
    for (const helm::StoredRelease& stored : newest) {
      m_wanted.emplace(place_of(stored), stored);
    }
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

Status decode_pages(kube::Client& client,
                    const HelmStorage& storage,
                    Decoder& decoder,
                    std::stop_token stop) {
  Handover pages;
  Status result;
  {
    const std::jthread fetcher([&] {
      // A list that starts over brings objects again; those that were decoded are not wanted any
      // more, so `first` needs no answer.
      result = list_objects(
          client,
          storage,
          [&](nlohmann::json items, bool) -> Status {
            pages.put(std::move(items));
            return {};
          },
          stop);
      pages.close();
    });
    while (auto page = pages.take()) {
      decoder.decode_page(*page);
    }
  }
  return result;
}

/// Whatever the pages did not bring: superseded by now, or never anything else.
Status decode_singly(kube::Client& client,
                     const HelmStorage& storage,
                     Decoder& decoder,
                     std::stop_token stop) {
  const std::vector<Place> places = decoder.still_wanted();
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < places.size() && !stop.stop_requested(); i = next++) {
      auto object = client.get({storage.type, places[i].first, places[i].second, {}}, stop);
      const std::lock_guard lock(mutex);
      if (object) {
        decoder.decode(*object);
      } else if (!stop.stop_requested()) {
        decoder.give_up(places[i], object.error());
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
  return {};
}

Status read_storage(kube::Client& client,
                    const HelmStorage& storage,
                    helm::Collector& collector,
                    std::stop_token stop) {
  RB_TRY_ASSIGN(auto stored, list_metadata(client, storage, stop));
  if (stored.empty()) {
    return {};
  }
  Decoder decoder(collector, helm::newest_revisions(std::move(stored)));
  RB_TRY(decode_pages(client, storage, decoder, stop));
  return decode_singly(client, storage, decoder, stop);
}

} // namespace

Result<HelmInventory>
read_helm_releases(kube::Client& client, std::stop_token stop, helm::Budget budget) {
  helm::Collector collector(budget);
  RB_TRY(read_storage(client, secret_storage(), collector, stop));
  RB_TRY(read_storage(client, config_map_storage(), collector, stop));
  return std::move(collector).take();
}

} // namespace rb::controller
