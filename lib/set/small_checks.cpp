#include "set/small_checks.hpp"

#include "k3s/token.hpp"
#include "set/host_state.hpp"
#include "set/yaml.hpp"
#include "terminal/terminal_text.hpp"

#include "archive/entry_path.hpp"
#include "archive/tar_gz.hpp"
#include "helm/artifact.hpp"

#include <set>

namespace rb::set {

namespace {

Error damaged(const std::string& what) {
  return {ErrorCode::corrupt, what, {}};
}

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

/// Values are a mapping, or nothing.
bool are_values(const archive::Entry& file) {
  const YamlKind kind = yaml_kind(file.content.text());
  return kind == YamlKind::map || kind == YamlKind::null;
}

void note_values(const helm::Index& index,
                 const std::vector<archive::Entry>& entries,
                 FileReport& report) {
  std::set<std::string_view> values;
  for (const helm::IndexedRelease& release : index.releases) {
    values.insert(release.file);
  }
  for (const archive::Entry& file : entries) {
    if (values.contains(file.path) && !are_values(file)) {
      report.note_odd(terminal_text(file.path) + " is not a YAML mapping");
    }
  }
}

} // namespace

void look_at_helm_values(ByteView tar_gz, const set::Manifest* manifest, FileReport& report) {
  const auto entries = archive::read_tar_gz(tar_gz, helm::k_archive_limits);
  if (!entries) {
    return report.note_odd("its archive can't be read: " + entries.error().message);
  }
  report.proven.push_back(counted(entries->size(), "file"));
  const auto contents = helm::check_contents(*entries);
  if (!contents) {
    return report.note_odd(contents.error().message);
  }
  for (const std::string& odd : contents->odd) {
    report.note_odd(odd);
  }
  const helm::Index& index = contents->index;
  note_values(index, *entries, report);
  if (manifest != nullptr && manifest->helm &&
      static_cast<std::size_t>(manifest->helm->releases) != index.releases.size()) {
    report.note_odd("it holds " + counted(index.releases.size(), "release") +
                    ", the manifest says " + std::to_string(manifest->helm->releases));
  }
  report.proven.push_back(counted(index.releases.size(), "release"));
  if (const auto odd = index.undecodable_total(); odd != 0) {
    report.proven.push_back(counted(odd, "undecodable one") + " as stored");
  }
}

Status
check_host_state(ByteView tar_gz, const set::Manifest* manifest, std::vector<std::string>& proven) {
  RB_TRY_ASSIGN(const HostState state, parse_host_state(tar_gz));
  proven.push_back(counted(state.files.size() + 1, "file"));
  if (manifest != nullptr && !manifest->token_hash.empty() &&
      k3s::token_hash(state.server_token()) != manifest->token_hash) {
    return damaged("its server token is not the one that the manifest names");
  }
  if (manifest != nullptr && !state.run_id.empty() && state.run_id != manifest->run_id) {
    return damaged("it is of the run " + archive::printable(state.run_id));
  }
  proven.emplace_back("server token");
  return {};
}

} // namespace rb::set
