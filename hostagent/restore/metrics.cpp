// railiance-restore metrics: what Prometheus should know of the sets, cluster or no cluster.
#include "restore/backups.hpp"
#include "restore/commands.hpp"
#include "status/disk_facts.hpp"
#include "status/families.hpp"
#include "terminal/program_io.hpp"

#include "base/durable_file.hpp"

#include <unistd.h>

#include <array>
#include <filesystem>

namespace rb::restore {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string node_of(const MetricsCommand& command, const status::DiskView& view) {
  if (!command.node.empty()) {
    return command.node;
  }
  for (const set::BackupSet& set : view.sets) {
    if (set.manifest && !set.manifest->node_name.empty()) {
      return set.manifest->node_name;
    }
  }
  return host_name();
}

/// Replaces `path` in one step, mode 0644: a reader sees the old text or the new one. What is
/// written first is "<path>.part", which node_exporter's textfile collector does not read.
Status write_metrics_file(const std::string& path, std::string_view text) {
  const std::filesystem::path whole(path);
  const std::string parent = whole.parent_path().string();
  RB_TRY_ASSIGN(const set::Directory directory,
                set::Directory::open_existing(parent.empty() ? "." : parent));
  DurableOrder order;
  order.name = whole.filename().string();
  order.mode = 0644; // node_exporter runs as a user of its own
  order.replace = true;
  return write_durably(directory.fs(), std::move(order), as_bytes(text));
}

/// A directory that is not there yet holds no backup: that is a fact, and an alert.
Result<status::DiskView> view_of(const Options& options, const Io& io) {
  const std::string& path = options.backup_dir;
  auto directory = set::Directory::open_existing(path);
  if (!directory && directory.error().code == ErrorCode::not_found) {
    warn(io, path + ": there is no such directory; the metrics say that there is no backup");
    return status::DiskView{};
  }
  if (!directory) {
    return open_directory(path).error(); // with its hint
  }
  RB_TRY_ASSIGN(const Catalogue known,
                catalogue_of(*directory, {}, options.public_keys, read_pins({}, io), io));
  return status::view_disk(
      *directory, known.known_from_outside() ? known.keys : std::vector<sign::PublicKey>{});
}

} // namespace

int carry_out(const MetricsCommand& command, const Options& options, Io& io) {
  const auto view = view_of(options, io);
  if (!view) {
    return fail(io, view.error());
  }
  api::NodeFacts facts = status::facts_of(*view, io.clock.now());
  facts.node_name = node_of(command, *view);
  std::vector<status::Family> families = status::families_of({facts});
  if (command.expected_interval_seconds > 0) {
    families.push_back(
        status::expected_interval(std::chrono::seconds(command.expected_interval_seconds)));
  }
  const std::string text = status::exposition(families);
  if (command.text_file.empty()) {
    io.out << text;
    return static_cast<int>(ExitCode::done);
  }
  const Status written = write_metrics_file(command.text_file, text);
  return written ? static_cast<int>(ExitCode::done) : fail(io, written.error());
}

} // namespace rb::restore
