#include "set/unpack.hpp"

#include "set/names.hpp"

#include "archive/entry_path.hpp"
#include "base/durable_file.hpp"
#include "base/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

namespace rb::set {

using api::ArtifactType;
using archive::Entry;
using archive::printable;

namespace {

constexpr mode_t k_directory_mode = 0700;
constexpr mode_t k_permissions = 0777; // never set-user-id and the like
constexpr int k_directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// Paths that can all be written.
Status check_paths(std::span<const Entry> entries) {
  std::set<std::string, std::less<>> files;
  for (const Entry& entry : entries) {
    if (auto status = archive::check_entry_path(entry.path); !status) {
      status.error().code = ErrorCode::corrupt;
      return status;
    }
    if (!files.insert(entry.path).second) {
      return Error{ErrorCode::corrupt, printable(entry.path) + ": appears twice", {}};
    }
  }
  for (const Entry& entry : entries) {
    for (std::size_t slash = entry.path.find('/'); slash != std::string::npos;
         slash = entry.path.find('/', slash + 1)) {
      if (files.contains(std::string_view(entry.path).substr(0, slash))) {
        return Error{ErrorCode::corrupt, printable(entry.path) + ": below a file", {}};
      }
    }
  }
  return {};
}

class Tree {
public:
  Tree(Fd root, std::string path) : m_root(std::move(root)), m_path(std::move(path)) {}

  /// What is there already leaves room for `entry`.
  [[nodiscard]] Status check(const Entry& entry, bool replace) const {
    RB_TRY_ASSIGN(const Place place, reach(entry.path, false));
    if (!place.directory.valid()) {
      return {};
    }
    struct stat status {};
    if (::fstatat(place.directory.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return errno == ENOENT ? Status() : system_error(errno, shown(entry) + ": stat");
    }
    if (!replace) {
      return exists(entry);
    }
    return S_ISREG(status.st_mode) ? Status() : in_the_way(shown(entry));
  }

  [[nodiscard]] Status write(const Entry& entry, bool replace) const {
    RB_TRY_ASSIGN(const Place place, reach(entry.path, true));
    RB_TRY_ASSIGN(Fd directory, copy_of(place.directory));
    const auto fs = open_fs(std::move(directory), parent_of(shown(entry)));
    DurableOrder order;
    order.name = place.name;
    order.part = ".railiance-" + std::to_string(::getpid()) + ".part";
    order.mode = entry.mode & k_permissions;
    order.replace = replace;
    const Status written = write_durably(*fs, std::move(order), entry.content.view());
    if (!written) {
      return written.error().code == ErrorCode::already_exists ? exists(entry) : written;
    }
    const timespec time{entry.mtime.time_since_epoch().count(), 0};
    const timespec times[2] = {time, time};
    return ::utimensat(place.directory.get(), place.name.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0
               ? Status()
               : system_error(errno, shown(entry) + ": utimens");
  }

  /// The directories that were made, and the times of the files.
  [[nodiscard]] Status sync() const {
    return ::syncfs(m_root.get()) == 0 ? Status() : system_error(errno, m_path + ": sync");
  }

private:
  struct Place {
    Fd directory; ///< Not valid: it is not there.
    std::string name;
  };

  [[nodiscard]] std::string shown(const Entry& entry) const {
    return m_path + "/" + printable(entry.path);
  }
  [[nodiscard]] static std::string parent_of(const std::string& path) {
    return path.substr(0, path.rfind('/'));
  }
  [[nodiscard]] Result<Fd> copy_of(const Fd& directory) const {
    Fd copy(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0));
    return copy.valid() ? Result<Fd>(std::move(copy)) : system_error(errno, m_path + ": dup");
  }
  [[nodiscard]] Error exists(const Entry& entry) const {
    return {ErrorCode::already_exists,
            shown(entry) + ": exists",
            "choose another directory, or replace what is in it with --force"};
  }
  [[nodiscard]] static Error in_the_way(const std::string& path) {
    return {ErrorCode::unsupported,
            path + ": a link or another special file is in the way",
            "choose another directory: links are not followed"};
  }

  /// The directory of `path`, made where it is missing and `make` is given.
  [[nodiscard]] Result<Place> reach(const std::string& path, bool make) const {
    RB_TRY_ASSIGN(Fd root, copy_of(m_root));
    Place place{std::move(root), path};
    for (std::size_t slash = place.name.find('/'); slash != std::string::npos;
         slash = place.name.find('/')) {
      const std::string component = place.name.substr(0, slash);
      place.name.erase(0, slash + 1);
      if (make && ::mkdirat(place.directory.get(), component.c_str(), k_directory_mode) != 0 &&
          errno != EEXIST) {
        return system_error(errno, m_path + "/" + printable(path) + ": mkdir");
      }
      const int fd = ::openat(place.directory.get(), component.c_str(), k_directory_flags);
      if (fd < 0 && errno == ENOENT && !make) {
        return Place{};
      }
      if (fd < 0) {
        return errno == ELOOP || errno == ENOTDIR
                   ? in_the_way(m_path + "/" + printable(path))
                   : system_error(errno, m_path + "/" + printable(path) + ": open");
      }
      place.directory = Fd(fd);
    }
    return place;
  }

  Fd m_root;
  std::string m_path;
};

constexpr const char* k_kubeconfig_name = "kubeconfig.yaml";

Result<std::vector<Entry>>
entries_of(ArtifactType type, SecretBytes plain, const Manifest& manifest) {
  if (type == ArtifactType::kubeconfig) {
    std::vector<Entry> entries(1);
    entries.front().path = k_kubeconfig_name;
    entries.front().content = std::move(plain);
    entries.front().mtime = manifest.completion_time;
    return entries;
  }
  auto entries = archive::read_tar_gz(plain.view());
  if (!entries) {
    Error error = std::move(entries).error();
    // A path that leads out of the archive is damage done on purpose.
    error.code = error.code == ErrorCode::invalid_argument ? ErrorCode::corrupt : error.code;
    error.hint = "nothing was written";
    return std::move(error).within(artifact_name(type, manifest.run_id, manifest.generation()));
  }
  return entries;
}

/// That nothing can be said of the files is no reason to keep them from the operator.
helm::Contents contents_of(const std::vector<Entry>& entries) {
  auto contents = helm::check_contents(entries);
  return contents ? std::move(contents).value()
                  : helm::Contents{{}, {contents.error().message + ": the files are as they were"}};
}

} // namespace

Status write_tree(const std::string& directory, std::span<const Entry> entries, bool replace) {
  RB_TRY(check_paths(entries));
  if (::mkdir(directory.c_str(), k_directory_mode) != 0 && errno != EEXIST) {
    return system_error(errno, directory + ": mkdir");
  }
  RB_TRY_ASSIGN(Fd root, open_file(directory, O_RDONLY | O_DIRECTORY));
  const Tree tree(std::move(root), directory);
  for (const Entry& entry : entries) {
    RB_TRY(tree.check(entry, replace));
  }
  for (const Entry& entry : entries) {
    RB_TRY(tree.write(entry, replace));
  }
  return tree.sync();
}

Result<Unpacked> unpack(Directory& directory,
                        const Manifest& manifest,
                        std::span<const age::Identity> identities,
                        const UnpackRequest& request,
                        const std::stop_token& stop) {
  if (request.type == ArtifactType::datastore) {
    return Error{ErrorCode::invalid_argument,
                 "a copy of the datastore is not unpacked",
                 "`railiance-restore decrypt` makes a file of it"};
  }
  RB_TRY_ASSIGN(SecretBytes plain,
                open_artifact(directory, manifest, request.type, identities, stop));
  RB_TRY_ASSIGN(const std::vector<Entry> entries,
                entries_of(request.type, std::move(plain), manifest));
  Unpacked unpacked;
  if (request.type == ArtifactType::helm_values) {
    unpacked.helm = contents_of(entries);
  }
  RB_TRY(write_tree(request.to, entries, request.replace));
  for (const Entry& entry : entries) {
    unpacked.files.push_back({entry.path, entry.content.size(), entry.mode});
  }
  return unpacked;
}

} // namespace rb::set
