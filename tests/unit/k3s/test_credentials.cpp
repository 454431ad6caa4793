// Holds: what k3s makes itself below server/tls and server/cred is told from what an operator has
// put there.
#include "k3s/credentials.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb::k3s;

namespace {

constexpr const char* k_data = "/var/lib/rancher/k3s";

bool is_operators(const std::string& below, const ServerSettings& settings = {}) {
  return is_operators_credential(std::string(k_data) + "/server/" + below, k_data, settings);
}

} // namespace

TEST_CASE("files of the operator in server/tls and server/cred") {
  for (const char* const file : {"tls/oidc-ca.pem",
                                 "tls/client-oidc-ca.crt",
                                 "tls/etcd/backup-client.crt",
                                 "tls/custom",
                                 "cred/audit-webhook.kubeconfig",
                                 "cred/tokens.csv"}) {
    CAPTURE(file);
    CHECK(is_operators(file));
  }
}

TEST_CASE("what k3s makes itself, and what lies elsewhere, is none") {
  for (const char* const file : {"tls/server-ca.crt",
                                 "tls/server-ca.key",
                                 "tls/client-ca.nochain.crt",
                                 "tls/service.key",
                                 "tls/serving-kube-apiserver.crt",
                                 "tls/etcd/server-ca.crt",
                                 "tls/etcd",
                                 "tls/temporary-certs/apiserver-loopback-client.crt",
                                 "tls/dynamic-cert.json",
                                 "cred/passwd",
                                 "cred/api-server.kubeconfig",
                                 "tls",
                                 "token",
                                 "audit.yaml",
                                 "tls-1800000000/oidc-ca.pem"}) {
    CAPTURE(file);
    CHECK_FALSE(is_operators(file));
  }
  CHECK_FALSE(is_operators_credential("/etc/tls/oidc-ca.pem", k_data, {}));
}

TEST_CASE("the encryption configuration is k3s's own where k3s encrypts, else a file like others") {
  ServerSettings settings;
  CHECK(is_operators("cred/encryption-config.json", settings));
  settings.add("secrets-encryption", "true");
  CHECK_FALSE(is_operators("cred/encryption-config.json", settings));
}

TEST_CASE(
    "what the servers of a cluster share is k3s's own; an operator's file is never among it") {
  ServerSettings settings;
  const auto holds = [&](const char* name) {
    const auto names = shared_credentials(k_data, settings);
    return std::ranges::find(names, name) != names.end();
  };
  CHECK(shared_credentials(k_data, settings).size() == 13);
  CHECK(holds("cred/passwd"));
  CHECK(holds("tls/etcd/peer-ca.key"));
  CHECK_FALSE(holds("cred/encryption-config.json"));
  settings.add("secrets-encryption", "true");
  CHECK(holds("cred/encryption-config.json"));
}
