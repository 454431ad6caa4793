// Which files of a host state are put back on a bare host, and where: those of k3s by their place,
// others because the settings name them, wherever they lie.
#pragma once

#include "k3s/named_files.hpp"
#include "k3s/server_settings.hpp"
#include "set/host_state.hpp"

#include "base/result.hpp"

#include <set>
#include <string>
#include <vector>

namespace rb::cluster {

/// Where a file of the host state belongs on this host by its place; empty for one that is not put
/// back: with `keep_config` the configuration of the server is not.
[[nodiscard]] std::string put_back_path(const std::string& archive_path,
                                        const std::string& its_data_dir,
                                        const std::string& data_dir,
                                        bool keep_config = false);

/// A file or directory that the settings of the set name.
struct NamedFact {
  std::string path; ///< On this host.
  std::string by;
  bool needed = false;  ///< Without it the server does not start.
  bool on_host = false; ///< It is there already, and stays.
  bool in_set = false;  ///< It is put back.
};

/// Puts to `path`, in this host's `data_dir`, what the host state has there: a file, or all below a
/// directory. False: it has nothing. Errors: those of put_file().
[[nodiscard]] Result<bool>
put_from_set(const set::HostState& state, const std::string& path, const std::string& data_dir);

/// What the settings of a host state name.
class NamedBack {
public:
  /// `root` stands before the paths of this host that are not in `data_dir`.
  NamedBack(const set::HostState& state, std::string data_dir, std::string root);

  /// Where such a file belongs on this host; empty for others, and for what belongs to the system
  /// or to k3s itself. A unit that came with a package goes to /etc.
  [[nodiscard]] std::string target_of(const std::string& archive_path) const;

  /// The same, and empty where this host has one of its own: that stays.
  [[nodiscard]] std::string missing_target_of(const std::string& archive_path) const;

  /// Only a setting names it of which nobody knows that a server does not start without it.
  [[nodiscard]] bool is_spare(const std::string& archive_path) const;

  [[nodiscard]] std::vector<NamedFact> facts() const;

private:
  /// A file or directory of the host that was backed up is among what a restore puts here.
  [[nodiscard]] bool is_put_back(const std::string& path) const;
  [[nodiscard]] std::string on_this_host(const std::string& path) const;
  [[nodiscard]] bool is_there(const std::string& path) const;

  const set::HostState& m_state;
  k3s::ServerSettings m_settings;
  std::string m_its_data_dir;
  std::string m_data_dir;
  std::string m_root;
  std::vector<k3s::NamedFile> m_named; ///< With the paths of the host that was backed up.
  std::set<std::string> m_paths;       ///< And the files that were read for the settings.
  std::set<std::string> m_needed;      ///< Of those: without which the server does not start.
};

} // namespace rb::cluster
