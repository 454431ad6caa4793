// What exec(2) and posix_spawn(3) take as argv and envp.
#pragma once

#include <string>
#include <vector>

namespace rb {

/// Pointers into `strings`, and a null at the end. `strings` must outlive them, unchanged.
[[nodiscard]] inline std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

} // namespace rb
