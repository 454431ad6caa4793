// Reads one JSON text (a release's config) a line and writes for each a line with the YAML of
// values_yaml() as a JSON string, or "!" and the error. The Go test beside it drives it.
#include "helm/values_yaml.hpp"

#include <nlohmann/json.hpp>

#include <iostream>
#include <string>

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const auto yaml = rb::helm::values_yaml(line);
    if (yaml) {
      std::cout << nlohmann::json(yaml->text()).dump() << "\n" << std::flush;
    } else {
      std::cout << "!" << yaml.error().message << "\n" << std::flush;
    }
  }
  return 0;
}
