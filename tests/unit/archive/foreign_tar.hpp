// Makes tar files that the library under test would not write (ustar, POSIX.1-1988).
#pragma once

#include "base/bytes.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace rb::test {

struct ForeignEntry {
  std::string path;
  char type = '0';
  std::string link{};
  std::string content{};
};

inline void put(Bytes& header, std::size_t offset, std::string_view text) {
  std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(offset));
}

inline std::string octal(std::size_t value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*zo", digits, value);
  return text;
}

inline Bytes foreign_tar(const std::vector<ForeignEntry>& entries) {
  Bytes tar;
  for (const ForeignEntry& entry : entries) {
    Bytes header(512);
    put(header, 0, entry.path);
    put(header, 100, "0000644");
    put(header, 108, "0000000");
    put(header, 116, "0000000");
    put(header, 124, octal(entry.content.size(), 11));
    put(header, 136, "00000000000");
    put(header, 148, "        ");
    header[156] = static_cast<std::uint8_t>(entry.type);
    put(header, 157, entry.link);
    put(header,
        257,
        std::string_view("ustar\0"
                         "00",
                         8));
    std::size_t sum = 0;
    for (const std::uint8_t byte : header) {
      sum += byte;
    }
    put(header, 148, octal(sum, 6) + '\0');
    tar.insert(tar.end(), header.begin(), header.end());
    tar.insert(tar.end(), entry.content.begin(), entry.content.end());
    tar.resize((tar.size() + 511) / 512 * 512);
  }
  tar.resize(tar.size() + 1024);
  return tar;
}

} // namespace rb::test
