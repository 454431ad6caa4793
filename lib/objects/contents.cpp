#include "objects/contents.hpp"

#include "datastore/etcd/history.hpp"
#include "objects/stored_metadata.hpp"

#include <fcntl.h>

#include <algorithm>

namespace rb::objects {

namespace {

constexpr std::string_view k_registry = "/registry/";

} // namespace

Result<Contents> read_contents(etcd::RandomReader& reader, const std::stop_token& stop) {
  Contents contents;
  const auto take = [&contents](const etcd::KeyChange& change) -> Status {
    contents.revision = std::max(contents.revision, change.revision);
    const std::string_view key = as_text(change.key);
    if (!key.starts_with(k_registry)) {
      return {};
    }
    const std::string name(key.substr(k_registry.size()));
    if (change.deleted) {
      contents.objects.erase(name);
      return {};
    }
    contents.objects[name] = {change.revision, stored_metadata(change.value)};
    if (contents.objects.size() > k_object_limit) {
      return Error{ErrorCode::unsupported,
                   "etcd snapshot: more than " + std::to_string(k_object_limit) +
                       " objects: too many to compare one by one",
                   {}};
    }
    return {};
  };
  RB_TRY(etcd::replay(reader, take, {}, stop));
  return contents;
}

Result<Contents> read_contents_of(const std::string& path, const std::stop_token& stop) {
  RB_TRY_ASSIGN(Fd file, open_file(path, O_RDONLY | O_NOFOLLOW));
  RB_TRY_ASSIGN(const auto reader, etcd::FileReader::open(std::move(file), path));
  return read_contents(*reader, stop);
}

} // namespace rb::objects
