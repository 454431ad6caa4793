#include "fault/restore/age_stream.hpp"

#include <algorithm>

namespace rb::test {

namespace {

constexpr std::size_t k_nonce_bytes = 16;
constexpr std::size_t k_sealed_bytes = 65536 + 16;

} // namespace

AgeStream AgeStream::of(std::string_view file) {
  AgeStream stream;
  const std::size_t mac = file.find("\n--- ");
  const std::size_t end = file.find('\n', mac + 1) + 1;
  stream.header = file.substr(0, end);
  stream.nonce = file.substr(end, k_nonce_bytes);
  for (std::size_t at = end + k_nonce_bytes; at < file.size(); at += k_sealed_bytes) {
    stream.chunks.emplace_back(file.substr(at, k_sealed_bytes));
  }
  return stream;
}

std::string AgeStream::file() const {
  std::string all = header + nonce;
  for (const std::string& chunk : chunks) {
    all += chunk;
  }
  return all;
}

} // namespace rb::test
