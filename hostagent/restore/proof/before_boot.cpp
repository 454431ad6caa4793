#include "restore/proof/before_boot.hpp"

#include "datastore/etcd/key_value.hpp"

namespace rb::proof {

Status check_memory(const BootPorts& ports) {
  const std::uint64_t available = ports.available_memory();
  if (available != 0 && available < k_memory_needed_bytes) {
    return Error{ErrorCode::unavailable,
                 "too little memory for a scratch server: " + std::to_string(available >> 20U) +
                     " MiB available, " + std::to_string(k_memory_needed_bytes >> 20U) + " needed",
                 "drill on another machine: k3s, the backup directory and the key are enough"};
  }
  return {};
}

Status check_expected(const BootInput& input, const objects::Contents& contents) {
  if (input.revision != 0 && input.revision != contents.revision) {
    return Error{ErrorCode::corrupt,
                 "the snapshot is of revision " + std::to_string(contents.revision) +
                     ", the manifest says " + std::to_string(input.revision),
                 "it is not the snapshot of this set: choose another set"};
  }
  if (input.objects.empty()) {
    return {};
  }
  std::map<std::string, std::uint64_t> objects;
  for (const auto& [key, object] : contents.objects) {
    ++objects[etcd::object_kind("/registry/" + key).value_or("")];
  }
  if (objects != input.objects) {
    return Error{ErrorCode::corrupt,
                 "the snapshot holds other numbers of objects than its manifest says",
                 "it is not the snapshot of this set: choose another set"};
  }
  return {};
}

} // namespace rb::proof
