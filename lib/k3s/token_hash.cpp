#include "k3s/token_hash.hpp"

#include "base/sha256.hpp"

namespace rb::k3s {

namespace {

constexpr std::string_view k_blank = " \t\r\n";
constexpr std::size_t k_hash_digits = 12;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(k_blank);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(k_blank) - begin + 1);
}

std::string_view password_of(std::string_view token) {
  const std::size_t credentials = token.find("::");
  if (!token.starts_with("K10") || credentials == std::string_view::npos) {
    return token;
  }
  const std::string_view pair = token.substr(credentials + 2);
  const std::size_t colon = pair.find(':');
  return colon == std::string_view::npos ? pair : pair.substr(colon + 1);
}

} // namespace

std::string token_hash(std::string_view token) {
  const std::string_view password = password_of(trimmed(token));
  return password.empty() ? std::string()
                          : to_hex(sha256(as_bytes(password))).substr(0, k_hash_digits);
}

} // namespace rb::k3s
