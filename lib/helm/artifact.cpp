#include "helm/artifact.hpp"

#include "terminal/terminal_text.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <tuple>

namespace rb::helm {

namespace {

/// Header, pax header with its path, and padding of one file in a tar.
constexpr std::size_t k_tar_overhead_bytes = 4 * 512;

// What an item takes in the archive, its entry in the index and the records of tar included.
std::size_t archived_bytes(const Release& release) {
  // The file's name is shorter than those it is made of, and a little.
  const std::string file = release.key.name_space + release.key.name + "/@configmap.yaml";
  return release.values_yaml.size() + entry_json(indexed(release, file)).size() +
         k_tar_overhead_bytes;
}

std::size_t archived_bytes(const OddRelease& odd) {
  const std::string file = odd.name_space + odd.storage_object;
  const std::size_t entry = entry_json(IndexedObject{odd, file}).size();
  return entry + (odd.raw.empty() ? 0 : odd.raw.size() + k_tar_overhead_bytes);
}

std::size_t archived_bytes(std::monostate /*listed*/) {
  return 0;
}

OddRelease listed_only(const Release& release) {
  return {{release.key.name_space,
           release.storage_object,
           "too large: its namespace has more than there is room for"},
          {}};
}

/// Beside the releases and their odd fellows: the index's own text and the end of the tar.
constexpr std::size_t k_frame_bytes = std::size_t{64} << 10U;
constexpr Budget k_archive_budget{
    std::min(k_archive_limits.gzip.max_bytes, k_archive_limits.max_entry_bytes) - k_frame_bytes};

std::string shown(std::string_view text) {
  return terminal_text(text, 300);
}

auto identity(const Release& release) {
  return std::tie(release.key.name_space, release.key.name, release.kind);
}

OddRelease refused(const Release& release, std::string message) {
  return {{shown(release.key.name_space), release.storage_object, std::move(message)}, {}};
}

/// Helm's names have no '@', so the two storages never meet.
std::string file_name(const Release& release, bool also_in_secret) {
  const bool marked = release.kind == StorageKind::config_map && also_in_secret;
  return values_file(release.key.name_space, release.key.name, marked);
}

/// What becomes files: releases in their order, then odd ones that have bytes.
class Builder {
public:
  explicit Builder(SystemTime collected_at) : m_time(collected_at) {}

  /// Leaves only releases that can have a file each, sorted; the others become odd.
  void add_releases(std::vector<Release> releases) {
    std::stable_sort(releases.begin(), releases.end(), [](const Release& a, const Release& b) {
      return identity(a) < identity(b);
    });
    const Release* last = nullptr;
    for (Release& release : releases) {
      // Sorted: a Secret stands right before the ConfigMap of the same release.
      const bool same_name = last != nullptr && last->key.name == release.key.name &&
                             last->key.name_space == release.key.name_space;
      IndexedRelease entry = indexed(release, file_name(release, same_name));
      if (std::string why = unusable(entry); !why.empty()) {
        m_odd.push_back(refused(release, std::move(why)));
      } else if (same_name && last->kind == release.kind) {
        m_odd.push_back(refused(release, "given twice: '" + release.key.name + "'"));
      } else {
        add_file(entry.file, std::move(release.values_yaml));
        m_index.releases.push_back(std::move(entry));
        last = &release;
      }
    }
  }

  void add_odd(std::vector<OddRelease> given) {
    std::move(m_odd.begin(), m_odd.end(), std::back_inserter(given));
    for (OddRelease& odd : given) {
      IndexedObject entry{odd, {}};
      if (!odd.raw.empty()) {
        entry.file = free_raw_file(odd);
        add_file(entry.file, std::move(odd.raw));
      }
      m_index.undecodable.push_back(std::move(entry));
    }
  }

  Result<Payload> finish(std::int64_t unlisted) && {
    m_index.unlisted = unlisted;
    m_files.insert(m_files.begin(),
                   {.path = std::string(k_index_name),
                    .content = index_json(m_index, m_time),
                    .mtime = m_time});
    // The reader's own check. What it would not take was set aside above, one by one.
    RB_TRY_ASSIGN(const Contents contents, check_contents(m_files));
    if (!contents.odd.empty()) {
      return Error{ErrorCode::internal, contents.odd.front(), {}};
    }
    RB_TRY_ASSIGN(SecretBytes tar_gz, archive::write_tar_gz(m_files));
    return Payload{std::move(tar_gz), summary()};
  }

private:
  void add_file(const std::string& path, SecretBytes content) {
    m_taken.insert(path);
    m_files.push_back({.path = path, .content = std::move(content), .mtime = m_time});
  }

  /// A number where the object's names would make no path, or one that is taken. No namespace has a
  /// dot in it, so no file is ever the directory of another one.
  std::string free_raw_file(const OddRelease& odd) {
    std::string file = raw_file(odd.name_space, odd.storage_object);
    while (file.empty() || m_taken.contains(file)) {
      file = "raw/unnamed." + std::to_string(++m_numbered);
    }
    return file;
  }

  [[nodiscard]] api::HelmStatus summary() const {
    api::HelmStatus status;
    status.releases = static_cast<std::int64_t>(m_index.releases.size());
    status.undecodable_total = static_cast<std::int64_t>(m_index.undecodable_total());
    const auto shown = std::min<std::size_t>(m_index.undecodable.size(), api::k_undecodable_limit);
    status.undecodable.assign(m_index.undecodable.begin(),
                              m_index.undecodable.begin() + static_cast<std::ptrdiff_t>(shown));
    return status;
  }

  SystemTime m_time;
  Index m_index;
  std::vector<OddRelease> m_odd;
  std::vector<archive::Entry> m_files;
  std::set<std::string> m_taken;
  std::size_t m_numbered = 0;
};

Result<Payload> assemble(Inventory inventory, SystemTime collected_at) {
  Builder builder(collected_at);
  builder.add_releases(std::move(inventory.releases));
  builder.add_odd(std::move(inventory.undecodable));
  return std::move(builder).finish(inventory.unlisted);
}

/// As much as an archive may hold.
Inventory fitted(Inventory inventory) {
  Collector collector(k_archive_budget);
  for (Release& release : inventory.releases) {
    collector.add(std::move(release));
  }
  for (OddRelease& odd : inventory.undecodable) {
    collector.add(std::move(odd));
  }
  Inventory fitted = std::move(collector).take();
  fitted.unlisted += inventory.unlisted;
  return fitted;
}

} // namespace

void Collector::add(const StoredRelease& stored, std::string_view api_data) {
  auto release = decode_release(stored, api_data, m_limits);
  if (release) {
    add(*std::move(release));
  } else {
    add(odd_release(stored, api_data, release.error()));
  }
}

void Collector::add(Release release) {
  const std::string name_space = release.key.name_space;
  hold(name_space, std::move(release));
}

void Collector::add(OddRelease odd) {
  const std::string name_space = odd.name_space;
  hold(name_space, std::move(odd));
}

void Collector::add_unread(const StoredRelease& stored, const Error& error) {
  add(OddRelease{undecodable(stored, error), {}});
}

void Collector::hold(const std::string& name_space, Item item) {
  m_items.push_back(std::move(item));
  enter(name_space, m_items.size() - 1);
  make_room();
}

void Collector::enter(const std::string& name_space, std::size_t at) {
  const std::size_t bytes =
      std::visit([](const auto& item) { return archived_bytes(item); }, m_items[at]);
  Namespace& held = m_namespaces[name_space];
  held.items.emplace(bytes, at);
  held.bytes += bytes;
  m_used += bytes;
}

void Collector::make_room() {
  while (m_used > m_budget.bytes) {
    const auto greatest = std::max_element(
        m_namespaces.begin(), m_namespaces.end(), [](const auto& a, const auto& b) {
          return a.second.bytes < b.second.bytes;
        });
    Namespace& held = greatest->second;
    const auto largest = std::prev(held.items.end());
    const auto [bytes, at] = *largest;
    held.items.erase(largest);
    held.bytes -= bytes;
    m_used -= bytes;
    Item& item = m_items[at];
    if (const auto* release = std::get_if<Release>(&item)) {
      item = listed_only(*release);
    } else if (auto& odd = std::get<OddRelease>(item); !odd.raw.empty()) {
      odd.raw = {};
      odd.message += "; its bytes are not kept: its namespace has more than there is room for";
    } else {
      item = std::monostate{};
      ++m_unlisted;
      continue;
    }
    enter(greatest->first, at);
  }
}

Inventory Collector::take() && {
  Inventory inventory;
  inventory.unlisted = m_unlisted;
  for (Item& item : m_items) {
    if (auto* release = std::get_if<Release>(&item)) {
      inventory.releases.push_back(std::move(*release));
    } else if (auto* odd = std::get_if<OddRelease>(&item)) {
      inventory.undecodable.push_back(std::move(*odd));
    }
  }
  return inventory;
}

Result<Payload> build_payload(Inventory inventory, SystemTime collected_at) {
  try {
    auto payload = assemble(fitted(std::move(inventory)), collected_at);
    return payload ? std::move(payload) : std::move(payload).error().within("helm values");
  } catch (const std::exception& exception) { // nlohmann::json
    return Error{ErrorCode::internal, std::string("helm values: ") + exception.what(), {}};
  }
}

Result<Contents> check_contents(std::span<const archive::Entry> entries, const Limits& limits) {
  std::map<std::string_view, std::size_t> unnamed; // sizes of the files that nothing names yet
  const archive::Entry* listed = nullptr;
  for (const archive::Entry& entry : entries) {
    if (entry.path == k_index_name) {
      listed = &entry;
    } else {
      unnamed.emplace(entry.path, entry.content.size());
    }
  }
  if (listed == nullptr) {
    return Error{ErrorCode::corrupt, "there is no index.json in it", {}};
  }
  RB_TRY_ASSIGN(Index index, parse_index(listed->content.text(), limits));
  Contents contents{std::move(index), {}};
  for (IndexedRelease& release : contents.index.releases) {
    if (release.odd.empty() && unnamed.erase(release.file) == 0) {
      release.odd = "its values are not in the archive";
    }
    if (!release.odd.empty()) {
      contents.odd.push_back(shown(release.name_space + "/" + release.name) + ": " + release.odd);
    }
  }
  for (const IndexedObject& object : contents.index.undecodable) {
    if (!object.file.empty() && unnamed.erase(object.file) == 0) {
      contents.odd.push_back(shown(object.name_space + "/" + object.storage_object) +
                             ": its bytes are not in the archive");
    }
  }
  for (const auto& [path, size] : unnamed) {
    contents.odd.push_back(shown(path) + ": index.json does not name it");
  }
  return contents;
}

} // namespace rb::helm
