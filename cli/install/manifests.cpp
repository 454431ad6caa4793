#include "cli/install/manifests.hpp"

#include "cli/install/kept.hpp"
#include "objects/manifests.hpp"
#include "status/cron.hpp"

#include "age/typed_text.hpp"
#include "base/digest.hpp"
#include "base/json_fields.hpp"
#include "base/json_member.hpp"
#include "helm/values_yaml.hpp"
#include "kube/resource.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace rb::install {

namespace {

using nlohmann::json;

constexpr int k_most_sets = 1000;             ///< As the chart's schema.
constexpr std::size_t k_checksum_digits = 16; ///< As the chart's.
constexpr std::size_t k_time_zone_limit = 64; ///< As the CRD's.
constexpr const char* k_managed_by = "app.kubernetes.io/managed-by";
constexpr const char* k_config_dir = "/etc/rancher";

constexpr const char* k_header =
    "# Laid down by `railiance-backup install`: k3s applies it. Run that again to change it; what "
    "is\n"
    "# changed here by hand goes then. `railiance-backup uninstall` takes it back.\n";

/// Where a server has what is not to be buried below backups.
constexpr std::array<std::string_view, 11> k_system_directories{
    "/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/tmp", "/usr"};
/// Below /run, where desktops mount disks.
constexpr std::string_view k_mounted_media = "/run/media/";

Error not_ours(const std::string& what) {
  return {ErrorCode::corrupt,
          "the package's manifests are not those of this release: " + what,
          "take manifests, image and program from the same package"};
}

bool is_below(std::string_view path, std::string_view directory) {
  return path == directory ||
         (path.starts_with(directory) && path.substr(directory.size()).starts_with('/'));
}

Status check_backup_dir(const std::string& path) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
  const bool plain = path.size() > 1 && path.starts_with('/') && !path.ends_with('/') &&
                     std::ranges::none_of(path, is_control) &&
                     std::filesystem::path(path).lexically_normal().string() == path;
  if (!plain) {
    return Error{ErrorCode::invalid_argument,
                 "--backup-dir: '" + path +
                     "' is no absolute path without '.', '..' and a '/' at "
                     "its end",
                 {}};
  }
  const bool in_system = std::ranges::any_of(
      k_system_directories, [&](std::string_view directory) { return is_below(path, directory); });
  if (in_system && !path.starts_with(k_mounted_media)) {
    return Error{ErrorCode::invalid_argument,
                 "--backup-dir: " + path + " belongs to the system",
                 "choose a directory such as /opt/backup/railiance/cluster, or a disk's"};
  }
  return {};
}

Status check_time_zone(const std::string& zone) {
  const bool plain = !zone.empty() && zone.size() <= k_time_zone_limit &&
                     zone.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                            "0123456789_+-/") == std::string::npos &&
                     zone != "Local";
  return plain ? Status()
               : Error{ErrorCode::invalid_argument,
                       "--time-zone: '" + zone + "' is no time zone",
                       "name one as Europe/Berlin or Etc/UTC"};
}

Status check_schedule(const std::string& schedule) {
  auto parsed = status::Cron::parse(schedule);
  return parsed ? Status() : Status(std::move(parsed).error().within("--schedule"));
}

/// Set by set_value(); else the manifests lack a place that this release has.
json* object_of(std::vector<json>& objects, std::string_view kind, std::string_view name) {
  const auto found = std::ranges::find_if(objects, [&](const json& object) {
    return json_text(object, "kind") == kind &&
           json_text(kube::metadata_of(object), "name") == name;
  });
  return found == objects.end() ? nullptr : &*found;
}

json& pod_template_of(json& object) {
  json& spec = object["spec"];
  return json_text(object, "kind") == "CronJob" ? spec["jobTemplate"]["spec"]["template"]
                                                : spec["template"];
}

/// "--flag=…" among the arguments of a container.
Status set_argument(json& container, const std::string& flag, const std::string& value) {
  const std::string prefix = "--" + flag + "=";
  for (json& argument : container["args"]) {
    if (argument.is_string() && argument.get_ref<const std::string&>().starts_with(prefix)) {
      argument = prefix + value;
      return {};
    }
  }
  return not_ours("no argument --" + flag);
}

struct HostPath {
  std::string volume;
  std::string path;
  std::string type = "Directory";
  bool read_only = false;
  bool sees_mounts = false; ///< What is mounted there later.
};

/// The volume of that name, and the mount in the pod at the same path; a new one where there is
/// none.
void mount_host_path(json& pod, const HostPath& host_path) {
  const auto named = [&](json& list) -> json& {
    for (json& item : list) {
      if (json_text(item, "name") == host_path.volume) {
        return item;
      }
    }
    list.push_back({{"name", host_path.volume}});
    return list.back();
  };
  named(pod["volumes"])["hostPath"] = {{"path", host_path.path}, {"type", host_path.type}};
  json& mount = named(pod["containers"][0]["volumeMounts"]);
  mount["mountPath"] = host_path.path;
  if (host_path.read_only) {
    mount["readOnly"] = true;
  }
  if (host_path.sees_mounts) {
    mount["mountPropagation"] = "HostToContainer";
  }
}

void remove_volume(json& pod, const json& name) {
  json& volumes = pod["volumes"];
  for (auto it = volumes.begin(); it != volumes.end();) {
    it = (*it)["name"] == name ? volumes.erase(it) : it + 1;
  }
}

/// Kubernetes takes no two mounts at one place, and a server may have its snapshots or its
/// kubeconfig where the backups go. The first mount does for both, and is written to where one of
/// them is.
void mount_each_place_once(json& pod) {
  json once = json::array();
  for (json& mount : pod["containers"][0]["volumeMounts"]) {
    const auto same = std::ranges::find_if(
        once, [&](const json& kept) { return kept["mountPath"] == mount["mountPath"]; });
    if (same == once.end()) {
      once.push_back(std::move(mount));
      continue;
    }
    if (!mount.contains("readOnly")) {
      same->erase("readOnly");
    }
    remove_volume(pod, mount["name"]);
  }
  pod["containers"][0]["volumeMounts"] = std::move(once);
}

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

/// What a pod needs to run that program: its directory. With Nix it is a script at the end of links
/// from one directory to another, and runs with what lies elsewhere in the store.
std::string program_volume(const std::string& program) {
  return is_below(program, "/nix") ? "/nix" : directory_of(program);
}

/// Of a directory on a disk that may be mounted later, its mount point (rb.backupVolume of the
/// chart, where agent.backupMount is auto).
std::string backup_volume(const std::string& directory) {
  for (const auto& [place, parts] :
       {std::pair<std::string_view, int>{"/mnt/", 1}, {"/media/", 1}, {"/run/media/", 2}}) {
    if (!directory.starts_with(place)) {
      continue;
    }
    std::size_t end = place.size() - 1;
    for (int part = 0; part < parts && end != std::string::npos; ++part) {
      end = directory.find('/', end + 1);
    }
    return directory.substr(0, end);
  }
  return directory;
}

Status set_backup_dir(json& pod, const std::string& directory) {
  RB_TRY(set_argument(pod["containers"][0], "backup-dir", directory));
  const std::string volume = backup_volume(directory);
  mount_host_path(pod,
                  {.volume = "backup",
                   .path = volume,
                   .type = "DirectoryOrCreate",
                   .sees_mounts = volume != directory});
  return {};
}

/// Where k3s has its program, its data and its configuration on this server.
Status set_places(json& pod, const Server& server) {
  json& container = pod["containers"][0];
  RB_TRY(set_argument(container, "data-dir", server.data_dir));
  RB_TRY(set_argument(container, "k3s", server.k3s_program));
  mount_host_path(pod, {.volume = "k3s-data", .path = server.data_dir});
  mount_host_path(
      pod, {.volume = "k3s-bin", .path = program_volume(server.k3s_program), .read_only = true});
  if (server.kubeconfig != std::string(k_config_dir) + "/k3s/k3s.yaml") {
    RB_TRY(set_argument(container, "kubeconfig-source", server.kubeconfig));
    if (!is_below(server.kubeconfig, k_config_dir)) {
      mount_host_path(pod,
                      {.volume = "kubeconfig-0",
                       .path = directory_of(server.kubeconfig),
                       .type = "DirectoryOrCreate",
                       .read_only = true});
    }
  }
  if (!server.snapshot_dir.empty()) {
    container["args"].push_back("--etcd-snapshot-dir=" + server.snapshot_dir);
    // Another server need not have it: a pod that waits for it makes no backup there.
    mount_host_path(
        pod, {.volume = "snapshots", .path = server.snapshot_dir, .type = "DirectoryOrCreate"});
  }
  if (server.api_port != Server{}.api_port) {
    container["args"].push_back("--etcd-server=https://127.0.0.1:" +
                                std::to_string(server.api_port));
  }
  return {};
}

Status set_agent(std::vector<json>& objects, const Choices& choices, const Server& server) {
  json* const agent = object_of(objects, "DaemonSet", k_agent);
  if (agent == nullptr) {
    return not_ours("no DaemonSet of the agent");
  }
  json& pod = pod_template_of(*agent)["spec"];
  RB_TRY(set_places(pod, server));
  RB_TRY(choices.backup_dir ? set_backup_dir(pod, *choices.backup_dir) : Status());
  mount_each_place_once(pod);
  return {};
}

Status set_schedule(std::vector<json>& objects, const Choices& choices) {
  json* const controller = object_of(objects, "Deployment", k_controller);
  json* const cron = object_of(objects, "CronJob", k_namespace);
  if (controller == nullptr || cron == nullptr) {
    return not_ours("no controller, or no schedule");
  }
  json& container = pod_template_of(*controller)["spec"]["containers"][0];
  if (choices.keep_last) {
    RB_TRY(set_argument(container, "keep-last", std::to_string(*choices.keep_last)));
  }
  if (choices.schedule) {
    (*cron)["spec"]["schedule"] = *choices.schedule;
    RB_TRY(set_argument(container, "schedule", *choices.schedule));
  }
  if (choices.time_zone) {
    (*cron)["spec"]["timeZone"] = *choices.time_zone;
    RB_TRY(set_argument(container, "schedule-time-zone", *choices.time_zone));
  }
  return {};
}

/// Those of a package ask for its image by the name that holds the digest; those of the tree by the
/// version alone.
Status check_image(std::vector<json>& objects, const std::string& image) {
  json* const agent = object_of(objects, "DaemonSet", k_agent);
  if (agent == nullptr) {
    return not_ours("no DaemonSet of the agent");
  }
  const std::string asked = json_text(pod_template_of(*agent)["spec"]["containers"][0], "image");
  const std::string own = image.substr(image.rfind('/') + 1);
  const bool by_version = own.substr(0, own.rfind('-')) == asked;
  return own == asked || by_version ? Status() : not_ours("they ask for the image " + asked);
}

/// The image is on servers only, so that is where all pods must be: by the affinity that the agent
/// has, and past the taints that keep other pods off servers, those of this one's own among them.
Status set_pods(std::vector<json>& objects,
                const std::string& image,
                const std::string& checksum,
                const std::vector<std::string>& taints) {
  const json* const agent = object_of(objects, "DaemonSet", k_agent);
  const json on_servers =
      agent == nullptr ? json()
                       : agent->value(json::json_pointer("/spec/template/spec/affinity"), json());
  if (!on_servers.is_object()) {
    return not_ours("the agent's pods have no affinity to servers");
  }
  std::vector<std::string> keys{"CriticalAddonsOnly",
                                "node-role.kubernetes.io/control-plane",
                                "node-role.kubernetes.io/etcd",
                                "node-role.kubernetes.io/master"};
  for (const std::string& taint : taints) {
    if (std::ranges::find(keys, taint) == keys.end()) {
      keys.push_back(taint);
    }
  }
  json past_taints = json::array();
  for (const std::string& key : keys) {
    past_taints.push_back({{"key", key}, {"operator", "Exists"}});
  }
  for (const char* const kind : {"DaemonSet", "Deployment", "CronJob"}) {
    for (json& object : objects) {
      if (json_text(object, "kind") != kind) {
        continue;
      }
      json& pod_template = pod_template_of(object);
      pod_template["metadata"]["labels"][k_managed_by] = k_namespace;
      pod_template["metadata"]["annotations"]["checksum/sops-config"] = checksum;
      json& pod = pod_template["spec"];
      if (std::string_view(kind) != "DaemonSet") {
        pod["affinity"] = on_servers;
        pod["tolerations"] = past_taints;
      }
      for (json& container : pod["containers"]) {
        container["image"] = image;
        container["imagePullPolicy"] = "Never"; // what k3s imported, or nothing
      }
    }
  }
  return {};
}

Status open_port(std::vector<json>& objects, int port) {
  if (port == Server{}.api_port) {
    return {};
  }
  json* const policy = object_of(objects, "NetworkPolicy", "railiance-backup-api-server");
  if (policy == nullptr) {
    return not_ours("no NetworkPolicy for the API server");
  }
  (*policy)["spec"]["egress"][0]["ports"].push_back({{"protocol", "TCP"}, {"port", port}});
  return {};
}

json recipients(const std::string& sops_yaml) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata",
           {{"name", k_sops_config_map},
            {"namespace", k_namespace},
            {"labels", {{"app.kubernetes.io/name", k_namespace}}}}},
          {"data", {{k_sops_key, sops_yaml}}}};
}

} // namespace

/// As the chart refuses it.
Status check_sops_text(const std::string& text) {
  const bool private_key = age::holds_key(text, "AGE-SECRET-KEY-") ||
                           age::holds_key(text, "AGE-PLUGIN-PQ-") ||
                           text.find("PRIVATE KEY-----") != std::string::npos;
  if (private_key) {
    return Error{ErrorCode::invalid_argument,
                 "the file with the recipients holds a private key",
                 "only public keys (age1…) belong into .sops.yaml, and private keys stay away from "
                 "the cluster"};
  }
  if (age::is_utf16(text)) {
    return Error{ErrorCode::invalid_argument,
                 "the file with the recipients is UTF-16, as PowerShell's > writes it",
                 "a ConfigMap takes UTF-8 only: iconv -f UTF-16 -t UTF-8 FILE"};
  }
  if (json_of(json(text).dump(-1, ' ', false, json::error_handler_t::replace)) != json(text)) {
    return Error{ErrorCode::invalid_argument,
                 "the file with the recipients is not UTF-8",
                 "SOPS refuses that, too; where it is Latin-1: iconv -f ISO-8859-1 -t UTF-8 FILE"};
  }
  return {};
}

Status check_choices(const Choices& choices) {
  RB_TRY(check_sops_text(choices.sops_yaml));
  if (choices.keep_last && (*choices.keep_last < 1 || *choices.keep_last > k_most_sets)) {
    return Error{ErrorCode::invalid_argument, "--keep-last must be between 1 and 1000", {}};
  }
  RB_TRY(choices.backup_dir ? check_backup_dir(*choices.backup_dir) : Status());
  RB_TRY(choices.schedule ? check_schedule(*choices.schedule) : Status());
  return choices.time_zone ? check_time_zone(*choices.time_zone) : Status();
}

Result<std::vector<json>> objects_to_install(std::string_view packaged,
                                             const std::string& image,
                                             const Choices& choices,
                                             const Server& server) {
  RB_TRY(check_choices(choices));
  RB_TRY_ASSIGN(std::vector<json> objects, objects::objects_of_yaml(packaged));
  if (objects.empty() || json_text(objects.front(), "kind") != "Namespace") {
    return not_ours("they do not begin with the Namespace");
  }
  try {
    for (json& object : objects) {
      object["metadata"]["labels"][k_managed_by] = k_namespace;
    }
    RB_TRY(check_image(objects, image));
    RB_TRY(set_agent(objects, choices, server));
    RB_TRY(set_schedule(objects, choices));
    const std::string checksum = to_hex(sha256(as_bytes(choices.sops_yaml)));
    RB_TRY(set_pods(objects, image, checksum.substr(0, k_checksum_digits), server.taints));
    RB_TRY(open_port(objects, server.api_port));
  } catch (const json::exception&) {
    return not_ours("an object has another form");
  }
  objects.insert(objects.begin() + 1, recipients(choices.sops_yaml));
  return objects;
}

Result<std::string> manifest_text(const std::vector<json>& objects) {
  std::string text = k_header;
  for (const json& object : objects) {
    RB_TRY_ASSIGN(const SecretBytes document, helm::values_yaml(object.dump()));
    text += "---\n" + std::string(document.text());
  }
  return text;
}

} // namespace rb::install
