#include "k3s/token.hpp"

#include "k3s/lines.hpp"

#include "base/digest.hpp"

#include <algorithm>

namespace rb::k3s {

namespace {

constexpr std::string_view k_prefix = "K10";
constexpr std::size_t k_token_digits = 12;
constexpr std::size_t k_ca_digits = 64;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

} // namespace

std::string_view token_password(std::string_view token) {
  token = trimmed(token);
  const std::size_t credentials = token.find("::");
  if (!token.starts_with(k_prefix) || credentials == std::string_view::npos) {
    return token;
  }
  const std::string_view pair = token.substr(credentials + 2);
  const std::size_t colon = pair.find(':');
  return colon == std::string_view::npos ? pair : pair.substr(colon + 1);
}

std::string token_hash(std::string_view token) {
  const std::string_view password = token_password(token);
  return password.empty() ? std::string()
                          : to_hex(sha256(as_bytes(password))).substr(0, k_token_digits);
}

std::string cluster_ca_of_file(std::string_view pem) {
  return pem.empty() ? std::string() : to_hex(sha256(as_bytes(pem)));
}

std::string cluster_ca_of_token(std::string_view token) {
  if (!token.starts_with(k_prefix)) {
    return {};
  }
  token.remove_prefix(k_prefix.size());
  const std::string_view hash = token.substr(0, k_ca_digits);
  const bool whole =
      hash.size() == k_ca_digits && is_hex(hash) && token.substr(k_ca_digits).starts_with("::");
  return whole ? std::string(hash) : std::string();
}

bool knows_authority(const std::vector<std::string>& cas) {
  return std::ranges::any_of(cas, [](const std::string& ca) { return !ca.empty(); });
}

bool is_same_cluster(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  return std::ranges::any_of(some, [&](const std::string& ca) {
    return !ca.empty() && std::ranges::find(others, ca) != others.end();
  });
}

} // namespace rb::k3s
