#include "unpack/small_checks.hpp"

#include "unpack/helm_index.hpp"
#include "unpack/host_state.hpp"
#include "unpack/yaml.hpp"

#include "archive/entry_path.hpp"
#include "archive/tar_gz.hpp"
#include "etcdsnap/token_hash.hpp"

#include <algorithm>

namespace rb::unpack {

namespace {

Error damaged(const std::string& what) {
  return {ErrorCode::corrupt, what, {}};
}

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

using Entries = std::vector<archive::Entry>;

Result<Entries> read_entries(ByteView tar_gz) {
  auto entries = archive::read_tar_gz(tar_gz);
  if (!entries && entries.error().code == ErrorCode::invalid_argument) {
    // A path that leads out of the archive is damage done on purpose.
    entries.error().code = ErrorCode::corrupt;
  }
  return entries;
}

const archive::Entry* find_entry(const Entries& entries, std::string_view path) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const archive::Entry& entry) {
    return entry.path == path;
  });
  return found == entries.end() ? nullptr : &*found;
}

Status check_release(const HelmRelease& release, const Entries& entries) {
  const archive::Entry* const values = find_entry(entries, release.file);
  if (values == nullptr) {
    return damaged("the values of " + archive::printable(release.name) + " are not in it");
  }
  if (const auto kind = yaml_kind(values->content.text());
      kind != YamlKind::map && kind != YamlKind::null) {
    return damaged(archive::printable(release.file) + " is not a YAML mapping");
  }
  return {};
}

} // namespace

Status check_helm_values(ByteView tar_gz,
                         const artifact::Manifest* manifest,
                         std::vector<std::string>& proven) {
  RB_TRY_ASSIGN(const Entries entries, read_entries(tar_gz));
  proven.push_back(counted(entries.size(), "file"));
  const archive::Entry* const listed = find_entry(entries, k_helm_index_name);
  if (listed == nullptr) {
    return damaged("there is no index.json in it");
  }
  RB_TRY_ASSIGN(const HelmIndex index, parse_helm_index(listed->content.text()));
  for (const HelmRelease& release : index.releases) {
    RB_TRY(check_release(release, entries));
  }
  if (entries.size() != index.releases.size() + 1) {
    return damaged("it holds files that its index.json does not name");
  }
  if (manifest != nullptr && manifest->helm &&
      static_cast<std::size_t>(manifest->helm->releases) != index.releases.size()) {
    return damaged("it holds " + counted(index.releases.size(), "release") +
                   ", the manifest says " + std::to_string(manifest->helm->releases));
  }
  proven.push_back(counted(index.releases.size(), "release"));
  return {};
}

Status check_host_state(ByteView tar_gz,
                        const artifact::Manifest* manifest,
                        std::vector<std::string>& proven) {
  RB_TRY_ASSIGN(const HostState state, parse_host_state(tar_gz));
  proven.push_back(counted(state.files.size() + 1, "file"));
  if (manifest != nullptr && !manifest->token_hash.empty() &&
      etcdsnap::token_hash(state.server_token()) != manifest->token_hash) {
    return damaged("its server token is not the one that the manifest names");
  }
  if (manifest != nullptr && !state.run_id.empty() && state.run_id != manifest->run_id) {
    return damaged("it is of the run " + archive::printable(state.run_id));
  }
  proven.emplace_back("server token");
  return {};
}

} // namespace rb::unpack
