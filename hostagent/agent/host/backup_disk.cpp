#include "agent/host/backup_disk.hpp"

#include "agent/host/mounted_files.hpp"
#include "set/directory.hpp"

#include "base/fd.hpp"

#include <algorithm>
#include <filesystem>
#include <random>
#include <sstream>
#include <utility>

namespace rb::agent {

namespace {

constexpr std::size_t k_text_limit_bytes = 1U << 20U;
constexpr std::size_t k_id_digits = 32;

/// "\040" and the like, as in fstab and mountinfo.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) { return static_cast<unsigned>(text[at] - '0'); };
    if (text[i] == '\\' && i + 3 < text.size() && digit(i + 1) < 4 && digit(i + 2) < 8 &&
        digit(i + 3) < 8) {
      plain += static_cast<char>(digit(i + 1) * 64 + digit(i + 2) * 8 + digit(i + 3));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) {
    words.push_back(unescaped(word));
  }
  return words;
}

template <typename Take> void each_line(std::string_view text, Take take) {
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) {
    take(line);
  }
}

/// What is left of `path` after `prefix`, both without a slash at the end: "" or "/rest".
std::optional<std::string> rest_below(const std::string& path, const std::string& prefix) {
  const std::string start = prefix == "/" ? "" : prefix;
  if (!path.starts_with(start) || (path.size() > start.size() && path[start.size()] != '/')) {
    return std::nullopt;
  }
  return path.substr(start.size());
}

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  return path;
}

/// "bind" and "rbind" in "rw,rbind,nofail".
bool has_option(const std::string& options, const std::string& name) {
  std::istringstream stream(options);
  for (std::string option; std::getline(stream, option, ',');) {
    if (option == name || option == "r" + name) {
      return true;
    }
  }
  return false;
}

/// "/mnt/usb" of "/mnt/usb/backups": the first `count` components below `parent`.
std::string below(const std::string& path, const std::string& parent, int count) {
  const auto rest = rest_below(path, parent);
  if (!rest || rest->empty()) {
    return {};
  }
  std::size_t end = 0;
  for (int i = 0; i < count && end != std::string::npos; ++i) {
    end = rest->find('/', end + 1);
  }
  return parent + rest->substr(0, end);
}

/// Where a path is.
struct Location {
  std::string device; ///< "254:1"; empty: no mount leads to it.
  std::string type;   ///< "ext4"
  std::string inside; ///< The path within its file system.
};

Location location_of(std::string_view mountinfo, const std::string& path) {
  Location found;
  std::size_t longest = 0;
  each_line(mountinfo, [&](const std::string& line) {
    const auto words = words_of(line);
    const auto rest = words.size() > 4 ? rest_below(path, words[4]) : std::nullopt;
    if (rest && words[4].size() >= longest) { // of two in one place, the later one covers the other
      longest = words[4].size();
      const auto dash = std::find(words.begin() + 5, words.end(), "-");
      const bool has_type = words.end() - dash > 1;
      found = {words[2],
               has_type ? *(dash + 1) : std::string(),
               (words[3] == "/" ? "" : words[3]) + *rest};
    }
  });
  return found;
}

/// With Nix /etc/fstab and the units are links.
std::vector<std::string> declared_mounts(const Settings& settings) {
  const std::string units = "/etc/systemd/system";
  const MountedFiles files(settings);
  std::vector<std::string> points = mount_points_of_fstab(files.read("/etc/fstab").value_or(""));
  for (const std::string& name : files.list(units)) {
    if (name.ends_with(".mount")) {
      points.push_back(mount_point_of_unit(files.read(units + "/" + name).value_or("")));
    }
  }
  return points;
}

Status check_mounted(const Settings& settings) {
  const std::string directory = without_trailing_slashes(settings.backup_dir);
  const std::string mount =
      expected_mount(directory, settings.backup_mount, declared_mounts(settings));
  if (mount.empty()) {
    return {};
  }
  const auto mountinfo = read_text_file(settings.mountinfo, k_text_limit_bytes);
  if (!mountinfo || is_mounted(*mountinfo, directory, settings.host_etc_dir)) {
    return mountinfo ? Status() : Status(mountinfo.error());
  }
  return Error{ErrorCode::unavailable,
               directory + ": " + mount + " is not mounted, so this is the disk of the system",
               "mount it, and run the backup again; if it is mounted, tell the chart where: "
               "agent.backupMount=" +
                   mount +
                   "; if the disk of the system is meant: agent.backupMount=none (without Helm: "
                   "`railiance-backup install --backup-dir` with a directory that is not below " +
                   mount + ")"};
}

std::string draw_id() {
  std::random_device source;
  std::string id;
  while (id.size() < k_id_digits) {
    id += "0123456789abcdef"[source() % 16];
  }
  return id;
}

/// Empty: there is none. Errors: those of Fs.
Result<std::string> text_of(set::Directory& directory, std::string_view name) {
  const auto file = directory.fs().open_read(std::string(name));
  if (!file) {
    return file.error().code == ErrorCode::not_found ? Result<std::string>(std::string())
                                                     : Result<std::string>(file.error());
  }
  Bytes buffer(k_text_limit_bytes);
  RB_TRY_ASSIGN(const std::size_t got, (*file)->read(buffer));
  return std::string(as_text(ByteView(buffer).first(got)));
}

std::string first_word(const std::string& text) {
  return text.substr(0, text.find_first_of(" \r\n"));
}

/// The ids of the disks that were written to under this path. Lines "ID PATH".
std::vector<std::string> known_ids(const std::string& text, const std::string& path) {
  std::vector<std::string> ids;
  each_line(text, [&](const std::string& line) {
    const std::string id = first_word(line);
    if (!id.empty() && line == id + " " + path) {
      ids.push_back(id);
    }
  });
  return ids;
}

/// First on the disk, then in what is known: a crash between them leaves a disk without a record,
/// which is taken again, and no record without a disk.
Status remember(set::Directory& directory,
                set::Directory& keys,
                const std::string& known,
                const std::string& id,
                bool is_new) {
  if (is_new) {
    RB_TRY(set::replace_file(directory, std::string(k_disk_id_name), as_bytes(id + "\n")));
  }
  const std::string text = known + id + " " + directory.path() + "\n";
  RB_TRY(set::replace_file(keys, std::string(k_known_disks_name), as_bytes(text)));
  const Status removed = directory.fs().remove(std::string(k_new_disk_name));
  return removed || removed.error().code == ErrorCode::not_found ? Status() : removed;
}

Status check_known(set::Directory& directory, set::Directory& keys) {
  RB_TRY_ASSIGN(const std::string known, text_of(keys, k_known_disks_name));
  RB_TRY_ASSIGN(const std::string marker, text_of(directory, k_disk_id_name));
  const std::string id = first_word(marker);
  const auto ids = known_ids(known, directory.path());
  if (!id.empty() && std::ranges::find(ids, id) != ids.end()) {
    return {};
  }
  const bool wanted = directory.fs().open_read(std::string(k_new_disk_name)).has_value();
  if (ids.empty() || wanted) {
    return remember(directory, keys, known, id.empty() ? draw_id() : id, id.empty());
  }
  return Error{ErrorCode::unavailable,
               directory.path() + ": not the disk that earlier sets were written to" +
                   (id.empty() ? " (it has no " + std::string(k_disk_id_name) + ")" : ""),
               "is the right disk mounted? if this one is to be used from now on: touch " +
                   directory.path() + "/" + std::string(k_new_disk_name)};
}

} // namespace

std::vector<std::string> mount_points_of_fstab(std::string_view text) {
  struct Mount {
    std::string what;
    std::string where;
    bool is_bind;
  };
  std::vector<Mount> mounts;
  std::string root_source;
  each_line(text, [&](const std::string& line) {
    const auto words = words_of(line);
    if (words.size() < 3 || words[0].starts_with('#') || !words[1].starts_with('/')) {
      return;
    }
    if (words[1] == "/") {
      root_source = words[0];
    } else {
      const bool is_bind = words.size() > 3 && has_option(words[3], "bind");
      mounts.push_back({words[0], without_trailing_slashes(words[1]), is_bind});
    }
  });
  std::vector<std::string> points;
  for (const Mount& mount : mounts) {
    if (!mount.is_bind && mount.what != root_source) {
      points.push_back(mount.where);
    }
  }
  const std::vector<std::string> of_disks = points;
  for (const Mount& mount : mounts) {
    if (mount.is_bind &&
        !expected_mount(mount.what, std::string(k_mount_automatic), of_disks).empty()) {
      points.push_back(mount.where);
    }
  }
  return points;
}

std::vector<std::string> mount_points_of_mountinfo(std::string_view text) {
  std::vector<std::string> points;
  each_line(text, [&](const std::string& line) {
    const auto words = words_of(line);
    if (words.size() > 4) {
      points.push_back(words[4]);
    }
  });
  return points;
}

std::string mount_point_of_unit(std::string_view text) {
  std::string point;
  each_line(text, [&](const std::string& line) {
    constexpr std::string_view k_where = "Where=";
    if (line.starts_with(k_where)) {
      const auto words = words_of(line.substr(k_where.size()));
      point = words.empty() ? "" : without_trailing_slashes(words.front());
    }
  });
  return point;
}

std::string expected_mount(const std::string& directory,
                           const std::string& setting,
                           const std::vector<std::string>& declared) {
  if (setting == k_mount_none) {
    return {};
  }
  if (setting != k_mount_automatic) {
    return without_trailing_slashes(setting);
  }
  std::string longest;
  for (const std::string& point : declared) {
    if (point.size() > std::max<std::size_t>(longest.size(), 1) && rest_below(directory, point)) {
      longest = point;
    }
  }
  for (const auto& [parent, count] : {std::pair("/mnt", 1), {"/media", 1}, {"/run/media", 2}}) {
    longest = longest.empty() ? below(directory, parent, count) : longest;
  }
  return longest;
}

bool is_mounted(std::string_view mountinfo,
                const std::string& directory,
                const std::string& etc_dir) {
  const Location at = location_of(mountinfo, directory);
  const Location etc = location_of(mountinfo, etc_dir);
  // An overlay has a number of its own, whatever disk it is on.
  const bool is_known = !etc.device.empty() && etc.type != "overlay";
  const bool is_other = is_known && at.device != etc.device;
  return !at.device.empty() && (is_other || !at.inside.ends_with(directory));
}

bool takes_orders_despite(const Error& error) {
  return error.code == ErrorCode::busy || error.code == ErrorCode::unavailable;
}

Result<set::Directory> open_backup_directory(const Settings& settings, const OpenDirectory& open) {
  RB_TRY(check_mounted(settings));
  RB_TRY_ASSIGN(set::Directory directory, open(settings.backup_dir));
  RB_TRY_ASSIGN(set::Directory kept, set::Directory::open(settings.key_dir));
  RB_TRY(check_known(directory, kept));
  // For railiance-restore on this host, which finds another directory by it; no run needs it.
  static_cast<void>(set::note_directory(kept, directory.path()));
  return directory;
}

} // namespace rb::agent
