// What nearly every file of ours includes, read by the compiler once instead of some 600 times
// (RB_PRECOMPILE; docs/decisions/0007). Each file includes what it uses all the same: `make lint`
// and the presets with sanitizers compile without this.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
