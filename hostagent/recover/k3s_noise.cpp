#include "recover/k3s_noise.hpp"

#include <algorithm>
#include <array>

namespace rb::recover {

namespace {

constexpr std::array<std::string_view, 6> k_noise{
    // The tunnel to the server itself, again and again until the server listens.
    "Remotedialer proxy error",
    "error in remotedialer server",
    // One for each server key of config.yaml that a subcommand does not know.
    "found in config.yaml, skipping",
    // What asks before the API is there, and asks again.
    "Waiting to retrieve",
    "Unable to set control-plane role label",
    "Failed to list nodes with etcd role",
};

} // namespace

bool is_k3s_noise(std::string_view line) {
  return std::any_of(k_noise.begin(), k_noise.end(), [&](std::string_view words) {
    return line.find(words) != std::string_view::npos;
  });
}

} // namespace rb::recover
