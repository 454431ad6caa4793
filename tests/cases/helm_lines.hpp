// What is printed for the releases of a Helm artifact, held to rules of its own: not those of the
// program that prints.
#pragma once

#include "helm/artifact.hpp"

#include <string>

namespace rb::cases {

struct HelmLines {
  std::size_t commands = 0;
  std::size_t comments = 0;
  std::string wrong; ///< The first line that must not be printed, and why; empty: none.
};

[[nodiscard]] HelmLines helm_lines(const helm::Payload& payload);

} // namespace rb::cases
