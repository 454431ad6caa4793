#include "controller/helm_pages.hpp"

#include <algorithm>

namespace rb::controller {

namespace {

// An object is at most 1 MiB (validation of Secret), 1.4 MiB in base64: 16 are 22 MiB at worst.
constexpr unsigned k_first_page = 16;
constexpr unsigned k_largest_page = 500;
constexpr std::size_t k_target_page_bytes = std::size_t{4} << 20U;
constexpr int k_restarts = 3;

kube::ListOptions options(std::string labels, std::string fields) {
  kube::ListOptions options;
  options.label_selector = std::move(labels);
  options.field_selector = std::move(fields);
  return options;
}

std::size_t data_bytes(nlohmann::json& items) {
  std::size_t bytes = 0;
  for (nlohmann::json& item : items) {
    const std::string* data = release_data(item);
    bytes += 1024 + (data == nullptr ? 0 : data->size());
  }
  return bytes;
}

unsigned next_page_size(std::size_t items, std::size_t bytes) {
  if (items == 0) {
    return k_first_page;
  }
  const std::size_t average = std::max<std::size_t>(bytes / items, 1);
  return static_cast<unsigned>(
      std::clamp<std::size_t>(k_target_page_bytes / average, 1, k_largest_page));
}

} // namespace

const HelmStorage& secret_storage() {
  static const HelmStorage storage{helm::StorageKind::secret,
                                   kube::k_secrets,
                                   options("", "type=helm.sh/release.v1"),
                                   options("status!=superseded", "type=helm.sh/release.v1")};
  return storage;
}

const HelmStorage& config_map_storage() {
  static const HelmStorage storage{helm::StorageKind::config_map,
                                   kube::k_config_maps,
                                   options("owner=helm", ""),
                                   options("owner=helm,status!=superseded", "")};
  return storage;
}

helm::StoredRelease stored_release(helm::StorageKind kind, const nlohmann::json& object) {
  helm::StoredRelease stored;
  stored.kind = kind;
  const auto meta = object.find("metadata");
  if (meta == object.end() || !meta->is_object()) {
    return stored;
  }
  const auto text = [&](const char* key) {
    const auto found = meta->find(key);
    return found != meta->end() && found->is_string() ? found->get<std::string>() : std::string{};
  };
  stored.name_space = text("namespace");
  stored.object_name = text("name");
  const auto labels = meta->find("labels");
  if (labels != meta->end() && labels->is_object()) {
    for (const auto& [key, value] : labels->items()) {
      if (value.is_string()) {
        stored.labels.emplace(key, value.get<std::string>());
      }
    }
  }
  return stored;
}

std::string* release_data(nlohmann::json& object) {
  const auto data = object.find("data");
  if (data == object.end() || !data->is_object()) {
    return nullptr;
  }
  const auto release = data->find("release");
  return release == data->end() ? nullptr : release->get_ptr<std::string*>();
}

Result<std::vector<helm::StoredRelease>>
list_metadata(kube::Client& client, const HelmStorage& storage, std::stop_token stop) {
  std::vector<helm::StoredRelease> all;
  kube::ListOptions options = storage.all;
  options.metadata_only = true;
  const auto keep = [&](const kube::ListPage& page, bool first) -> Status {
    if (first) {
      all.clear();
    }
    for (const nlohmann::json& item : page.items) {
      all.push_back(stored_release(storage.kind, item));
    }
    return {};
  };
  RB_TRY(client.list(storage.type, "", options, keep, stop));
  return all;
}

Status list_objects(kube::Client& client,
                    const HelmStorage& storage,
                    const ObjectSink& sink,
                    std::stop_token stop) {
  kube::ListOptions options = storage.not_superseded;
  options.page_size = k_first_page;
  std::string token;
  bool first = true;
  for (int restarts = 0;;) {
    auto page = client.list_page(storage.type, "", options, token, stop);
    if (!page) {
      if (page.error().code == ErrorCode::unsupported && options.page_size > 1) {
        options.page_size = std::max(options.page_size / 8, 1U); // larger than the last page told
        continue;
      }
      if (page.error().code != ErrorCode::gone || ++restarts > k_restarts) {
        return std::move(page).error();
      }
      token.clear();
      first = true;
      continue;
    }
    options.page_size = next_page_size(page->items.size(), data_bytes(page->items));
    token = page->continue_token;
    RB_TRY(sink(std::move(page->items), first));
    first = false;
    if (token.empty()) {
      return {};
    }
  }
}

} // namespace rb::controller
