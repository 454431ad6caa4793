#include "agent/host/host_artifacts.hpp"

#include "agent/host/host_key.hpp"
#include "agent/host/mounted_files.hpp"
#include "k3s/named_files.hpp"
#include "k3s/token.hpp"
#include "set/host_state.hpp"

#include "base/open_beneath.hpp"

#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace rb::agent {

using set::path_in_host_state;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t k_below_limit = 200; ///< Files of one named directory.
constexpr std::size_t k_kubeconfig_limit_bytes = std::size_t{4} << 20U;

/// Up to one more than the limit.
std::size_t files_below(const std::string& directory) {
  std::size_t count = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end;
       !error && it != end && count <= k_below_limit;
       it.increment(error)) {
    ++count;
  }
  return count;
}

void skip(FileCollector& files, const k3s::NamedFile& named, const std::string& why) {
  files.skip(path_in_host_state(named.path), why + "; named by " + named.by);
}

void add_named(FileCollector& files, const MountedFiles& mounted, const k3s::NamedFile& named) {
  const std::string here = mounted.seen_as(named.path);
  struct stat status {};
  if (::lstat(here.c_str(), &status) != 0) {
    skip(files,
         named,
         "not there, or not to be seen by the agent: mount its directory (agent.extraHostPaths of "
         "the chart)");
  } else if (S_ISDIR(status.st_mode) && files_below(here) > k_below_limit) {
    skip(files, named, "a directory of more than " + std::to_string(k_below_limit) + " files");
  } else if (S_ISDIR(status.st_mode)) {
    files.add_tree(here, path_in_host_state(named.path));
  } else if (S_ISREG(status.st_mode)) {
    files.add_file(here, path_in_host_state(named.path));
  } else {
    skip(files, named, "not a regular file: who uses it makes it");
  }
}

void add_server_files(FileCollector& files, const std::string& server) {
  // A link to `token` is what k3s makes where there is no agent token of its own.
  std::error_code ignored;
  if (!std::filesystem::is_symlink(server + "/agent-token", ignored)) {
    files.add_file(server + "/agent-token", path_in_host_state(server + "/agent-token"));
  }
  files.add_file(server + "/cred/passwd", path_in_host_state(server + "/cred/passwd"));
  files.add_file(server + "/cred/ipsec.psk", path_in_host_state(server + "/cred/ipsec.psk"));
  files.add_matching(server + "/cred", "encryption-", path_in_host_state(server + "/cred"));
}

void add_configuration(FileCollector& files, const Settings& settings) {
  files.add_tree(settings.config_dir + "/k3s", "etc/rancher/k3s");
  files.add_file(settings.config_dir + "/node/password", "etc/rancher/node/password");
  // With --with-node-id the node's name ends with it, and local volumes are bound to that name.
  files.add_file(settings.config_dir + "/node/id", "etc/rancher/node/id");
  const std::string& etc = settings.host_etc_dir;
  for (const char* const directory :
       {"/systemd/system", "/default", "/sysconfig", "/init.d", "/conf.d"}) {
    files.add_matching(etc + directory, "k3s", std::string("etc") + directory);
  }
}

std::string cluster_ca_of(FileCollector& files, const std::string& path) {
  const auto found = std::ranges::find(files.entries(), path, &archive::Entry::path);
  return found == files.entries().end() ? std::string()
                                        : k3s::cluster_ca_of_file(found->content.text());
}

Error token_missing(const std::string& path, const FileCollector& files) {
  const std::string why =
      files.skipped().empty() ? path + ": there is no server token" : files.skipped().back().why;
  return {ErrorCode::not_found,
          why,
          "without the token a snapshot cannot be restored on another host: see that --data-dir "
          "is the server's data directory and that this node is a server"};
}

/// Whoever reads the list must not take it for all.
std::vector<SkippedFile> listed(const FileCollector& files) {
  std::vector<SkippedFile> skipped = files.skipped();
  if (const std::size_t more = files.skipped_in_all() - skipped.size(); more > 0) {
    skipped.push_back({"...", std::to_string(more) + " more were left out, and are not listed"});
  }
  return skipped;
}

std::string list_of(const std::vector<std::string>& paths) {
  std::string list;
  for (const std::string& path : paths) {
    list.append(list.empty() ? "" : ", ").append(path);
  }
  return list;
}

/// Where `path` leads, if it is a link; else empty.
std::string target_of(const std::string& path) {
  std::error_code none;
  const fs::path target = fs::read_symlink(path, none);
  return none ? std::string() : (fs::path(path).parent_path() / target).lexically_normal().string();
}

Error no_kubeconfig(const std::vector<std::string>& candidates) {
  Error error{ErrorCode::not_found,
              "no kubeconfig found: looked for " + list_of(candidates),
              "name it with --kubeconfig-source and mount its directory"};
  for (const std::string& path : candidates) {
    // k3s makes the usual one a link where write-kubeconfig names another file.
    if (const std::string target = target_of(path); !target.empty()) {
      error.message += "; " + path + " is a link to " + target +
                       ", which is not there, or not to be seen by the agent";
      error.hint = "set agent.kubeconfigSources={" + target +
                   "} of the chart, which mounts its directory (--kubeconfig-source)";
    }
  }
  return error;
}

} // namespace

void add_named_files(FileCollector& files,
                     const MountedFiles& mounted,
                     const k3s::HostSettings& host,
                     const std::string& data_dir) {
  for (const std::string& path : host.files) {
    files.add_file(path, path_in_host_state(path));
  }
  if (!host.unit_link.empty()) { // its name alone matters: that of the instance
    files.add_file(host.unit_link, path_in_host_state(host.unit_link));
  }
  // A server may not start without these: what somebody serves as static files must not take their
  // room.
  for (const k3s::NamedFile& named : k3s::all_named_files(mounted, host.settings, data_dir)) {
    add_named(files, mounted, named);
  }
  for (const std::string& place : k3s::operators_places()) {
    const std::string path = data_dir + "/" + place;
    std::error_code ignored;
    if (fs::is_directory(mounted.seen_as(path), ignored)) {
      files.add_tree(path, path_in_host_state(path));
    } else {
      files.add_file(path, path_in_host_state(path));
    }
  }
}

Result<HostState>
collect_host_state(const Settings& settings, const HostFacts& facts, CollectLimits limits) {
  const std::string server = settings.data_dir + "/server";
  const MountedFiles mounted(settings);
  FileCollector files(limits, [&](const std::string& path) { return mounted.seen_as(path); });
  if (!files.add_file(server + "/token", path_in_host_state(server + "/token"))) {
    return token_missing(server + "/token", files);
  }
  HostState state;
  state.token_hash = k3s::token_hash(files.entries().front().content.text());
  if (state.token_hash.empty()) {
    return Error{ErrorCode::not_found, server + "/token: the file is empty", {}};
  }
  add_server_files(files, server);
  add_configuration(files, settings);
  // A restored host goes on signing with the same key.
  for (const std::string_view name : {k_signing_key_name, k_signing_pub_name}) {
    const std::string path = settings.key_dir + "/" + std::string(name);
    files.add_file(path, path_in_host_state(path));
  }
  files.add_tree(server + "/tls", path_in_host_state(server + "/tls"));
  add_named_files(files, mounted, k3s::read_host_settings(mounted, facts.node), settings.data_dir);

  state.skipped = listed(files);
  state.skipped_in_all = files.skipped_in_all();
  state.cluster_ca = cluster_ca_of(files, path_in_host_state(server + "/tls/server-ca.crt"));
  auto packed = set::pack_host_state({facts.run_id,
                                      facts.k3s_version,
                                      settings.k3s_program,
                                      settings.node_name,
                                      settings.node_address,
                                      settings.data_dir,
                                      state.token_hash,
                                      facts.node},
                                     files.entries(),
                                     state.skipped,
                                     facts.now);
  if (!packed) {
    return Error{ErrorCode::internal, packed.error().message, packed.error().hint};
  }
  state.tar_gz = std::move(*packed);
  state.files = files.entries().size();
  return state;
}

Result<Kubeconfig> find_kubeconfig(const std::vector<std::string>& candidates) {
  constexpr const char* k_put_there = "put the kubeconfig there, or name another one";
  for (const std::string& path : candidates) {
    auto content = read_regular(path, k_kubeconfig_limit_bytes);
    if (!content && content.error().code == ErrorCode::not_found) {
      continue;
    }
    if (!content) {
      content.error().hint = "let the agent read it, or name another one";
      return std::move(content).error();
    }
    if (content->empty()) {
      return Error{ErrorCode::corrupt, path + ": the file is empty", k_put_there};
    }
    if (content->text().find("clusters") == std::string_view::npos) {
      return Error{
          ErrorCode::corrupt, path + ": not a kubeconfig: it names no clusters", k_put_there};
    }
    return Kubeconfig{path, std::move(*content)};
  }
  return no_kubeconfig(candidates);
}

} // namespace rb::agent
