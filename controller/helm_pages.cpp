#include "controller/helm_releases.hpp"

#include "base/json_member.hpp"
#include "kube/retry.hpp"

#include <algorithm>
#include <iterator>

namespace rb::controller {

namespace {

constexpr unsigned k_first_page = 16; ///< Of whole objects.
constexpr unsigned k_largest_page = k_first_metadata_page;
constexpr int k_restarts = 3;

kube::ListOptions options(std::string labels, std::string fields) {
  kube::ListOptions options;
  options.label_selector = std::move(labels);
  options.field_selector = std::move(fields);
  options.page_size = k_first_page;
  options.keep = keeps_key;
  return options;
}

/// Names that are all that is used of a namespace.
bool keeps_name(int depth, std::string_view key) {
  return depth == 0 ? key == "metadata" : key == "name";
}

Result<std::vector<std::string>> list_namespaces(kube::Client& client, std::stop_token stop) {
  std::vector<std::string> names;
  kube::ListOptions options;
  options.metadata_only = true;
  options.keep = keeps_name;
  const ListSink sink{[&](const std::string&) { names.clear(); },
                      [&](const nlohmann::json& items) {
                        for (const nlohmann::json& item : items) {
                          names.push_back(item.value("/metadata/name"_json_pointer, ""));
                        }
                      }};
  RB_TRY(list_namespace(client, kube::k_namespaces, "", options, sink, stop));
  return names;
}

} // namespace

bool keeps_key(int depth, std::string_view key) {
  switch (depth) {
  case 0:
    return key == "metadata" || key == "data";
  case 1:
    return key == "name" || key == "namespace" || key == "labels" || key == "release" ||
           key == "resourceVersion" || key == "ownerReferences";
  case 2: // of labels
    return key == "name" || key == "version" || key == "status" || key == "owner" ||
           key == "helm.toolkit.fluxcd.io/name" || key == "helm.toolkit.fluxcd.io/namespace";
  default: // of ownerReferences
    return key == "kind" || key == "name" || key == "controller";
  }
}

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

namespace {

std::optional<api::ReleaseOwner> controller_of(const nlohmann::json& metadata) {
  for (const nlohmann::json& owner : json_list(metadata, "ownerReferences")) {
    if (json_member(owner, "controller") == true) {
      return api::controlling_object(json_text(owner, "kind"), json_text(owner, "name"));
    }
  }
  return std::nullopt;
}

} // namespace

helm::StoredRelease stored_release(helm::StorageKind kind, const nlohmann::json& object) {
  helm::StoredRelease stored;
  stored.kind = kind;
  const nlohmann::json& metadata = kube::metadata_of(object);
  stored.name_space = json_text(metadata, "namespace");
  stored.object_name = json_text(metadata, "name");
  const auto labels = metadata.find("labels");
  if (labels != metadata.end() && labels->is_object()) {
    for (const auto& [key, value] : labels->items()) {
      if (value.is_string()) {
        stored.labels.emplace(key, value.get<std::string>());
      }
    }
  }
  stored.controller = controller_of(metadata);
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

bool is_of_content(const Error& error) {
  // 500: the server cannot decode or decrypt what it has stored.
  return error.code == ErrorCode::unsupported || error.code == ErrorCode::corrupt ||
         (error.http_status == 500 && !kube::is_of_datastore(error));
}

bool is_of_all(const Error& error) {
  return error.code == ErrorCode::cancelled ||
         (kube::is_passing(error.code) && !is_of_content(error));
}

Status list_namespace(kube::Client& client,
                      const kube::ResourceType& type,
                      const std::string& name_space,
                      const kube::ListOptions& options,
                      const ListSink& sink,
                      std::stop_token stop) {
  kube::ListOptions page_options = options;
  kube::PageSize pages(options.page_size, k_largest_page, k_page_limit_bytes);
  std::string token;
  sink.begin(name_space);
  for (int restarts = 0;;) {
    page_options.page_size = pages.now();
    page_options.body_limit_bytes =
        pages.now() == 1 ? 0 : std::min(k_page_limit_bytes, client.options().body_limit_bytes);
    auto page = client.list_page(type, name_space, page_options, token, stop);
    if (!page) {
      if (pages.shrink(page.error())) {
        continue;
      }
      if (page.error().code != ErrorCode::gone || ++restarts > k_restarts) {
        return std::move(page).error();
      }
      token.clear();
      sink.begin(name_space);
      continue;
    }
    pages.came(page->items.size(), page->body_bytes);
    token = page->continue_token;
    sink.page(std::move(page->items));
    if (token.empty()) {
      return {};
    }
  }
}

Result<std::vector<Unlisted>> list_everywhere(kube::Client& client,
                                              const kube::ResourceType& type,
                                              const kube::ListOptions& options,
                                              const ListSink& sink,
                                              std::stop_token stop) {
  const Status whole = list_namespace(client, type, "", options, sink, stop);
  if (whole) {
    return std::vector<Unlisted>{};
  }
  if (!is_of_content(whole.error())) {
    return whole.error();
  }
  auto names = list_namespaces(client, stop);
  if (!names) {
    return stop.stop_requested() ? std::move(names).error() : whole.error();
  }
  sink.begin("");
  std::vector<Unlisted> unlisted;
  for (const std::string& name : *names) {
    const Status one = list_namespace(client, type, name, options, sink, stop);
    if (!one && is_of_all(one.error())) {
      return one.error();
    }
    if (!one) {
      unlisted.push_back({name, one.error()});
    }
  }
  if (unlisted.size() == names->size()) { // not of one namespace, then
    return whole.error();
  }
  return unlisted;
}

void NewestRevisions::forget(const std::string& name_space) {
  if (name_space.empty()) {
    m_by_namespace.clear();
    m_left_out.clear();
    m_count = 0;
    return;
  }
  const auto found = m_by_namespace.find(name_space);
  if (found != m_by_namespace.end()) {
    m_count -= found->second.size();
    m_by_namespace.erase(found);
  }
  m_left_out.erase(name_space);
}

void NewestRevisions::add(const nlohmann::json& items) {
  std::map<std::string, std::vector<helm::StoredRelease>> more;
  for (const nlohmann::json& item : items) {
    helm::StoredRelease stored = stored_release(m_kind, item);
    more[stored.name_space].push_back(std::move(stored));
  }
  for (auto& [name_space, objects] : more) {
    merge(name_space, std::move(objects));
  }
  make_room();
}

void NewestRevisions::merge(const std::string& name_space, std::vector<helm::StoredRelease> more) {
  std::vector<helm::StoredRelease>& known = m_by_namespace[name_space];
  m_count -= known.size();
  std::ranges::move(more, std::back_inserter(known));
  known = helm::newest_revisions(std::move(known));
  m_count += known.size();
}

void NewestRevisions::make_room() {
  while (m_count > m_limit) {
    const auto greatest = std::ranges::max_element(
        m_by_namespace, {}, [](const auto& entry) { return entry.second.size(); });
    greatest->second.pop_back();
    m_left_out.insert(greatest->first);
    --m_count;
  }
}

std::vector<helm::StoredRelease> NewestRevisions::take() && {
  std::vector<helm::StoredRelease> all;
  all.reserve(m_count);
  for (auto& [name_space, objects] : m_by_namespace) {
    std::ranges::move(objects, std::back_inserter(all));
  }
  return all;
}

} // namespace rb::controller
