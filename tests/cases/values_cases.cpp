#include "agent/host/backup_disk.hpp"
#include "cases/cases.hpp"
#include "offsite/rclone_config.hpp"

#include <yaml-cpp/yaml.h>

#include <map>
#include <regex>
#include <sstream>
#include <string>

namespace rb::cases {

namespace {

/// A node where no disk is mounted and fstab names none: what there is on a first installation.
constexpr std::string_view k_no_disk = "1 0 254:1 / / rw - ext4 /dev/vda1 rw\n";

/// What is to be named, where that is what the input is about: others are let through.
const std::map<std::string, std::string> k_shut_ports{
    {"o03-union-values", "23"}, {"o04-mega-values", "80"}, {"o05-proxy-values", "1080"}};

YAML::Node chart_values() {
  return YAML::LoadFile(RB_SOURCE_DIR "/charts/railiance-backup/values.yaml");
}

Verdict check_directory(const YAML::Node& agent) {
  const auto directory = agent["backupDir"]
                             ? agent["backupDir"].as<std::string>()
                             : chart_values()["agent"]["backupDir"].as<std::string>();
  const auto setting = agent["backupMount"]
                           ? agent["backupMount"].as<std::string>()
                           : chart_values()["agent"]["backupMount"].as<std::string>();
  const std::string mount = agent::expected_mount(directory, setting, {});
  if (mount.empty() || agent::is_mounted(k_no_disk, directory)) {
    return {false, directory + ": would be written to the disk of the system"};
  }
  return {true, "StorageNotMounted while " + mount + " is not mounted, and nothing is written"};
}

/// "[box] type=sftp host=backup.example port=23" -> a section of rclone.conf, and more of them that
/// follow on the line. Other lines are as they stand there.
std::string sections_of(const std::string& line) {
  std::smatch found;
  if (!std::regex_search(line, found, std::regex("(\\[[^\\]]+\\]) (.*)"))) {
    return line + "\n";
  }
  return found[1].str() + "\n" +
         std::regex_replace(found[2].str(), std::regex(" +(?=\\[|[a-z_]{3,}=)"), "\n") + "\n";
}

/// What the comments say of rclone.conf.
std::string config_of(const std::string& text) {
  std::istringstream stream(text);
  std::string config;
  for (std::string line; std::getline(stream, line);) {
    const std::size_t comment = line.starts_with('#') ? 0 : line.find(" #");
    if (comment != std::string::npos) {
      config += sections_of(line.substr(line.find('#', comment) + 1));
    }
  }
  return config;
}

Verdict check_remote(const YAML::Node& values, const std::string& text) {
  const auto remote = values["offsite"]["remote"].as<std::string>();
  const YAML::Node policy = values["networkPolicy"];
  const auto let_through =
      policy && policy["offsitePorts"]
          ? policy["offsitePorts"].as<std::vector<int>>()
          : chart_values()["networkPolicy"]["offsitePorts"].as<std::vector<int>>();
  const offsite::RemotePorts ports = offsite::remote_ports(config_of(text), remote);
  if (ports.numbers.empty()) {
    return {false, remote + ": its port is not found in rclone.conf"};
  }
  const std::string hint = offsite::unreachable_hint(ports, let_through);
  if (hint.empty()) {
    return {true, "the ports of " + remote + " are let through"};
  }
  return {hint.find("networkPolicy.offsitePorts") != std::string::npos, hint};
}

} // namespace

Verdict check_values(const std::filesystem::path& file) {
  const std::string text = contents_of(file);
  const YAML::Node values = YAML::Load(text);
  if (values["offsite"] && values["offsite"]["remote"]) {
    Verdict verdict = check_remote(values, text);
    const auto shut = k_shut_ports.find(file.stem().string());
    if (shut != k_shut_ports.end()) {
      const std::string named = "at port " + shut->second + ",";
      verdict.right = verdict.right && verdict.said.find(named) != std::string::npos;
    }
    return verdict;
  }
  if (values["agent"] && (values["agent"]["backupDir"] || values["agent"]["backupMount"])) {
    return check_directory(values["agent"]);
  }
  return {false, "neither a backup directory nor a remote"};
}

} // namespace rb::cases
