#include "datastore/datastore.hpp"

#include "datastore/etcd/snapshot.hpp"
#include "datastore/sqlite/kine.hpp"
#include "datastore/sqlite/online_copy.hpp"

#include <filesystem>

namespace rb::datastore {

namespace {

/// Without a look at the pages there is another answer.
constexpr std::chrono::milliseconds k_patience{1000};

class Etcd final : public Datastore {
public:
  [[nodiscard]] api::DatastoreKind kind() const override { return api::DatastoreKind::etcd; }
  [[nodiscard]] std::string_view copy_name() const override { return "etcd snapshot"; }
  [[nodiscard]] std::string_view remedy() const override {
    return "nothing of it was kept; see whether the disk of k3s's snapshot directory is full, and "
           "start the backup again";
  }
  [[nodiscard]] std::unique_ptr<CopyCheck> make_check() const override {
    return std::make_unique<etcd::TrailerCheck>();
  }
  [[nodiscard]] Result<CopyFacts>
  inspect(RandomReader& reader, const InspectOrder& order, std::stop_token stop) const override {
    etcd::InspectLimits limits;
    limits.wanted_keys = order.wanted_keys;
    return etcd::inspect(reader, limits, std::move(stop));
  }
  [[nodiscard]] Status
  replay(RandomReader& reader, const OnChange& on_change, std::stop_token stop) const override {
    return etcd::replay(reader, on_change, std::move(stop));
  }
  [[nodiscard]] std::vector<std::string> files() const override {
    return {"server/db/etcd/member/snap/db"};
  }
  [[nodiscard]] std::uint64_t bytes_in(const std::string& data_dir) const override {
    return file_bytes_in(data_dir);
  }
};

class Sqlite final : public Datastore {
public:
  [[nodiscard]] api::DatastoreKind kind() const override { return api::DatastoreKind::sqlite; }
  [[nodiscard]] std::string_view copy_name() const override { return "SQLite database"; }
  [[nodiscard]] std::string_view remedy() const override {
    return "nothing of it was kept; start the backup again. If it says the same, the server's own "
           "server/db/state.db is damaged, of which this is a copy, page by page: look at the "
           "disk, and restore the newest set (railiance-restore restore latest)";
  }
  [[nodiscard]] std::unique_ptr<CopyCheck> make_check() const override {
    return std::make_unique<sqlite::FileCheck>();
  }
  [[nodiscard]] Result<CopyFacts>
  inspect(RandomReader& reader, const InspectOrder& order, std::stop_token stop) const override {
    sqlite::InspectOrder how;
    how.depth = order.thorough ? sqlite::Depth::whole : sqlite::Depth::pages;
    how.wanted_keys = order.wanted_keys;
    return sqlite::inspect(reader, how, std::move(stop));
  }
  [[nodiscard]] Status
  replay(RandomReader& reader, const OnChange& on_change, std::stop_token stop) const override {
    return sqlite::replay(reader, on_change, std::move(stop));
  }
  [[nodiscard]] std::vector<std::string> files() const override {
    return {"server/db/state.db", "server/db/state.db-wal"};
  }
  [[nodiscard]] std::uint64_t bytes_in(const std::string& data_dir) const override {
    const auto pages = sqlite::copy_bytes(data_dir + "/" + files().front(), k_patience);
    return pages ? *pages : file_bytes_in(data_dir);
  }
};

} // namespace

std::uint64_t Datastore::file_bytes_in(const std::string& data_dir) const {
  std::uint64_t bytes = 0;
  for (const std::string& file : files()) {
    std::error_code error;
    const auto size = std::filesystem::file_size(std::filesystem::path(data_dir) / file, error);
    bytes += error ? 0 : static_cast<std::uint64_t>(size);
  }
  return bytes;
}

const Datastore& of(api::DatastoreKind kind) {
  static const Etcd k_etcd;
  static const Sqlite k_sqlite;
  switch (kind) {
  case api::DatastoreKind::etcd:
    return k_etcd;
  case api::DatastoreKind::sqlite:
    return k_sqlite;
  }
  return k_etcd;
}

Result<api::DatastoreKind> kind_of(RandomReader& reader) {
  Bytes start(sqlite::k_magic.size());
  if (reader.size() < start.size()) {
    return api::DatastoreKind::etcd;
  }
  RB_TRY(reader.read(0, start));
  return as_text(start) == sqlite::k_magic ? api::DatastoreKind::sqlite : api::DatastoreKind::etcd;
}

} // namespace rb::datastore
