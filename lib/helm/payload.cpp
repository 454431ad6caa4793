#include "helm/payload.hpp"

#include "terminal/terminal_text.hpp"

#include "archive/entry_path.hpp"
#include "helm/names.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace rb::helm {

namespace {

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
      IndexedObject entry{odd.name_space, odd.storage_object, odd.message, {}};
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
    for (const IndexedObject& object : m_index.undecodable) {
      if (status.undecodable.size() == api::k_undecodable_limit) {
        break;
      }
      status.undecodable.push_back({object.name_space, object.storage_object, object.message});
    }
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

Result<Payload> build_payload(Inventory inventory, SystemTime collected_at) {
  try {
    auto payload = assemble(fitted(std::move(inventory)), collected_at);
    return payload ? std::move(payload) : std::move(payload).error().within("helm values");
  } catch (const std::exception& exception) { // nlohmann::json
    return Error{ErrorCode::internal, std::string("helm values: ") + exception.what(), {}};
  }
}

Result<Payload> build_payload(std::vector<Release> releases,
                              std::vector<OddRelease> undecodable,
                              SystemTime collected_at) {
  return build_payload(Inventory{std::move(releases), std::move(undecodable)}, collected_at);
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
