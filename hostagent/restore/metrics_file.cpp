#include "restore/metrics_file.hpp"

#include "set/directory.hpp"

#include "base/durable_file.hpp"

#include <filesystem>

namespace rb::restore {

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

} // namespace rb::restore
