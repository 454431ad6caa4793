#include "fault/restore/rejoining_host.hpp"

#include "restore/cluster/database.hpp"
#include "restore/cluster/journal.hpp"
#include "set/manifest.hpp"
#include "support/sets.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>
#include <system_error>

namespace rb::test {

namespace {

constexpr std::array<const char*, 3> k_roots{"/etc", "/run", "/var/lib"};
constexpr const char* k_small = "mode=755,size=512m";
constexpr std::string_view k_part = ".railiance-part";

const std::string k_run = run_id_of_day(1);
const std::string k_data = cluster::k_usual_data_dir;
const std::string k_server = k_data + "/server";
const std::string k_etcd = k_server + "/db/etcd";
const std::string k_ancient = k_etcd + "-old-100";
const std::string k_config = "/etc/rancher/k3s/config.yaml";
const std::string k_drop_in = k_config + ".d/zz-railiance-rejoin.yaml";
const std::string k_whole_token = std::string(k_token) + "\n";

bool is_below(const std::string& path, const std::string& directory) {
  return path.starts_with(directory + "/");
}

/// With the directories above it.
void add(HostTree& tree, const std::string& path, const std::string& content, unsigned mode) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    if (std::ranges::any_of(k_roots, [&](const char* root) { return is_below(above, root); })) {
      tree.try_emplace(above, HostEntry{is_below(above, k_data) ? 0700U : 0755U, true, {}});
    }
  }
  tree[path] = {mode, false, content};
}

/// Configuration and node password are on another disk than k3s's data.
HostTree laid_out(OldData old) {
  HostTree tree;
  add(tree, k_config, "node-name: two\ncluster-init: true\n", 0600);
  add(tree, "/etc/rancher/k3s/k3s.yaml", "of before\n", 0600);
  add(tree, "/etc/rancher/node/password", "of the node\n", 0600);
  add(tree, "/run/world/began", "", 0644);
  add(tree, "/var/lib/rancher/other", "somebody else's\n", 0644);
  tree[k_data] = {0755, true, {}};
  if (old == OldData::nothing) {
    return tree;
  }
  add(tree, k_server + "/token", k_whole_token, 0600);
  add(tree, k_server + "/tls/server-ca.crt", "authority of the cluster\n", 0644);
  add(tree, k_server + "/tls/client-admin.crt", "certificate of before\n", 0644);
  add(tree, k_server + "/tls/client-admin.key", "key of the old administrator\n", 0600);
  add(tree, k_server + "/cred/passwd", "5ecret,server,server,k3s:server\n", 0600);
  add(tree, k_etcd + "/name", "two-99999999\n", 0600);
  add(tree, k_etcd + "/member/wal/0.wal", "old log\n", 0600);
  add(tree, k_etcd + "/member/snap/db", "old data\n", 0600);
  add(tree, k_ancient + "/member/snap/db", "ancient data\n", 0600);
  add(tree, k_server + "/db/snapshots/own", "a snapshot\n", 0600);
  add(tree, k_data + "/agent/client-ca.crt", "of k3s\n", 0600);
  return tree;
}

const std::string* file_in(const HostTree& tree, const std::string& path) {
  const auto found = tree.find(path);
  return found == tree.end() || found->second.directory ? nullptr : &found->second.content;
}

/// By which a rejoin can be undone later, or could have been.
bool is_kept_aside(const std::string& path) {
  return is_below(path, cluster::work_dir_in(k_data)) ||
         path.starts_with(k_data + "/" + std::string(cluster::k_failed_etcd));
}

/// Of the work itself: the file for asking, and what was half written.
Findings left_over(const HostTree& tree) {
  Findings findings;
  for (const auto& [path, entry] : tree) {
    const bool asking = is_below(path, "/run/k3s") && path != cluster::k_restore_lock;
    if (asking || (path.ends_with(k_part) && !is_kept_aside(path))) {
      findings.push_back(path + " is left");
    }
  }
  return findings;
}

} // namespace

RejoiningHost::RejoiningHost(OldData old)
    : m_old(old), m_before(laid_out(old)), m_etc("/etc", k_small), m_run("/run", k_small),
      m_lib("/var/lib", k_small) {
  if (!mounted()) {
    return;
  }
  std::filesystem::copy_file(RB_SOURCE_DIR "/tests/fault/restore/rejoining_k3s.sh",
                             m_backups.file("k3s"));
  make_set();
}

bool RejoiningHost::mounted() const {
  return m_etc.mounted() && m_run.mounted() && m_lib.mounted();
}

/// Of the cluster, with what opens its servers.
void RejoiningHost::make_set() {
  m_backups.add_set(k_run);
  const std::string server = k_server.substr(1);
  m_backups.replace_content(
      api::ArtifactType::host_state,
      k_run,
      tar_gz({{server + "/token", k_whole_token},
              {server + "/tls/server-ca.crt", "authority of the cluster\n"},
              {server + "/tls/client-admin.crt", "certificate of the administrator\n"},
              {server + "/tls/client-admin.key", "key of the administrator\n"},
              {"host.json",
               R"({"schema": "railiance.io/host-state/v1", "dataDir": ")" + k_data + "\"}"}}));
  auto manifest = set::parse_manifest(read_file(m_backups.manifest_file(k_run))).value();
  manifest.servers = {{"one", "192.0.2.11", {}}, {"two", "192.0.2.12", {}}};
  m_backups.sign(manifest);
}

HostTree RejoiningHost::now() {
  return tree_below(k_roots);
}

void RejoiningHost::put(const HostTree& tree) {
  put_tree(tree, k_roots);
}

std::vector<std::string> RejoiningHost::line(const std::vector<std::string>& words) const {
  const std::string k3s = m_backups.file("k3s");
  std::vector<std::string> all{RB_RESTORE,
                               "--backup-dir",
                               m_backups.backups(),
                               "--public-key",
                               m_backups.host_public_key,
                               "rejoin",
                               "--yes",
                               "-i",
                               m_backups.keys(),
                               "--k3s",
                               k3s,
                               "--start-command",
                               k3s + " start",
                               "--stop-command",
                               k3s + " stop",
                               "--status-command",
                               k3s + " status",
                               "--ready-timeout",
                               "20"};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

ProcessResult RejoiningHost::rejoin(const std::vector<std::string>& words) const {
  std::vector<std::string> all = line(words);
  ProcessSpec spec;
  spec.program = all.front();
  spec.arguments.assign(all.begin() + 1, all.end());
  spec.environment = {{"LC_ALL", "C"}};
  RealProcessRunner processes;
  return processes.run(spec, {}).value();
}

Traced RejoiningHost::meet(const std::vector<std::string>& words, const OnCall& on_call) const {
  TraceOptions options;
  options.from_marker = false;
  options.with_output = true;
  options.output_directory = m_backups.file("");
  return trace(line(words), options, on_call);
}

Findings RejoiningHost::harmed(const HostTree& tree) const {
  Findings findings;
  for (const auto& [path, entry] : tree) {
    if (!entry.directory && entry.mode != 0600 && holds_secret(entry.content)) {
      findings.push_back(path + " holds a secret, and not for root alone");
    }
  }
  if (m_old == OldData::nothing) {
    return findings;
  }
  const HostTree old = part_of(m_before, k_etcd);
  const auto copies = std::ranges::count_if(tree, [&](const auto& one) {
    const std::string& path = one.first;
    const bool aside =
        path.starts_with(k_etcd + "-old-") && path.find('/', k_etcd.size()) == std::string::npos;
    return (path == k_etcd || aside) && part_of(tree, path) == old;
  });
  if (copies != 1) {
    findings.push_back("the database of before is there " + std::to_string(copies) + " times");
  }
  if (part_of(tree, k_ancient) != part_of(m_before, k_ancient)) {
    findings.push_back(k_ancient + " is not what it was");
  }
  return findings;
}

Findings RejoiningHost::not_joined(const HostTree& tree) const {
  Findings findings = harmed(tree) + left_over(tree);
  const auto expect = [&](const std::string& path, const char* content) {
    const std::string* const found = file_in(tree, path);
    if (found == nullptr || found->find(content) == std::string::npos) {
      findings.push_back(path + (found == nullptr ? " is not there" : " is not that of the end"));
    }
  };
  expect("/run/world/running", "");
  expect("/run/world/votes", "");
  expect(k_etcd + "/name", "two-0a1b2c3d\n");
  expect(k_server + "/token", k_whole_token.c_str());
  expect(k_drop_in, "server: https://192.0.2.11:6443\n");
  return findings;
}

Findings RejoiningHost::not_as_before(const HostTree& tree) const {
  Findings findings = harmed(tree) + left_over(tree);
  for (const auto& [path, entry] : m_before) {
    const auto found = tree.find(path);
    if (found == tree.end() || found->second != entry) {
      findings.push_back(path + (found == tree.end() ? " is gone" : " is not what it was"));
    }
  }
  for (const auto& [path, entry] : tree) {
    const bool stays = entry.directory || m_before.contains(path) || is_kept_aside(path) ||
                       path == cluster::k_restore_lock;
    if (!stays) {
      findings.push_back(path + " is new");
    }
  }
  return findings;
}

bool is_of_host(const std::string& path) {
  return std::ranges::any_of(
      k_roots, [&](const char* root) { return path == root || is_below(path, root); });
}

bool holds_secret(std::string_view text) {
  return text.find("5ecret") != std::string_view::npos ||
         text.find("key of the") != std::string_view::npos;
}

bool names_failure(const std::string& said, const std::string& path, int error) {
  // Where a directory is removed with all that is in it, it is that which is named.
  std::vector<std::string> names{
      path.ends_with(k_part) ? path.substr(0, path.size() - k_part.size()) : path};
  while (is_below(names.back(), k_data)) {
    names.push_back(names.back().substr(0, names.back().rfind('/')));
  }
  const std::string why = std::generic_category().message(error).substr(1); // in either case
  std::istringstream lines(said);
  for (std::string line; std::getline(lines, line);) {
    const bool named = std::ranges::any_of(names, [&](const std::string& name) {
      // What lies below k3s's data is not named by the data directory, in which everything lies.
      return (name != k_data || path == k_data) && line.find(name) != std::string::npos;
    });
    if (named && line.find(why) != std::string::npos) {
      return true;
    }
  }
  return false;
}

} // namespace rb::test
