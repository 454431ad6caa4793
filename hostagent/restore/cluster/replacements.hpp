// --set-address and --set-interface: what is another on this host than on the one of the backup,
// rewritten in the configuration that is put back. The one place where a host state is changed.
#pragma once

#include "set/host_state.hpp"

#include "base/result.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rb::cluster {

enum class ReplacementKind { address, interface };

struct Replacement {
  ReplacementKind kind = ReplacementKind::address;
  std::string from; ///< An address: as canonical_address() writes it.
  std::string to;   ///< The same as `from`: the operator's word that it is right as it is.

  bool operator==(const Replacement&) const = default;

  [[nodiscard]] bool keeps() const { return from == to; }
  [[nodiscard]] std::string option() const; ///< "--set-address 192.0.2.10=198.51.100.7"
};

/// "OLD=NEW". Addresses are of one family. Errors: invalid_argument.
[[nodiscard]] Result<Replacement> parse_replacement(ReplacementKind kind, std::string_view text);

/// Whole words only: "192.0.2.10" in "192.0.2.100", in a name or in a version is none. An address
/// is found in each of its spellings; an interface only as the value of a setting that names one
/// ("flannel-iface").
struct Place {
  std::size_t offset = 0;
  std::size_t length = 0;
  std::size_t line = 0; ///< From 1.
  std::size_t by = 0;   ///< Index of the replacement.
};

/// Ordered, none within another.
[[nodiscard]] std::vector<Place> find_places(std::string_view text,
                                             std::span<const Replacement> replacements);

/// Stands for a path: what the Node said of the server.
inline constexpr std::string_view k_node_words = "k3s.io/node-args";

/// What was rewritten by one replacement in one file.
struct Rewritten {
  std::size_t by = 0;
  std::string path; ///< On the host.
  std::vector<std::size_t> lines;
};

/// In `files` (absolute paths on the host): those that the settings were read from; and in what the
/// Node said of them, which the result names only where no file has it.
[[nodiscard]] std::vector<Rewritten> rewrite(set::HostState& state,
                                             const std::vector<std::string>& files,
                                             std::span<const Replacement> replacements);

} // namespace rb::cluster
