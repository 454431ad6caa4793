// Holds: only what a cluster removes by itself may be gone after a restore.
#include "recover/transient.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace rb::recover;

TEST_CASE("kinds that a server makes, renews and removes itself are restless") {
  for (const char* const kind : {"events",
                                 "leases",
                                 "minions",
                                 "endpointslices",
                                 "pods",
                                 "certificatesigningrequests",
                                 "volumeattachments",
                                 "backup.railiance.io/nodebackups",
                                 "backup.railiance.io/clusterbackups"}) {
    CHECK_MESSAGE(is_restless_kind(kind), kind);
  }
  for (const char* const kind : {"secrets",
                                 "configmaps",
                                 "namespaces",
                                 "deployments",
                                 "persistentvolumeclaims",
                                 "services/specs",
                                 "apiextensions.k8s.io/customresourcedefinitions",
                                 "example.com/pods",
                                 ""}) {
    CHECK_FALSE_MESSAGE(is_restless_kind(kind), kind);
  }
}

TEST_CASE("the payload of an unfinished run goes, in whatever namespace we are installed") {
  CHECK(is_transient_object("configmaps/railiance-backup/railiance-backup-payload-0a1b-0"));
  CHECK(is_transient_object("configmaps/elsewhere/railiance-backup-payload-0a1b-12"));
  for (const char* const key : {"configmaps/railiance-backup/settings",
                                "configmaps/railiance-backup/my-railiance-backup-payload-0",
                                "secrets/railiance-backup/railiance-backup-payload-0a1b-0",
                                "configmaps/railiance-backup-payload-0a1b-0/kept",
                                "configmaps",
                                "configmaps/x",
                                ""}) {
    CHECK_FALSE_MESSAGE(is_transient_object(key), key);
  }
}

TEST_CASE("tokens to join with expire; other Secrets stay") {
  CHECK(is_transient_object("secrets/kube-system/bootstrap-token-abcdef"));
  CHECK_FALSE(is_transient_object("secrets/shop/bootstrap-token-abcdef"));
  CHECK_FALSE(is_transient_object("secrets/kube-system/k3s-serving"));
}

TEST_CASE("only kinds of which some objects go are told apart by their names") {
  CHECK(has_transient_objects("configmaps"));
  CHECK(has_transient_objects("secrets"));
  CHECK_FALSE(has_transient_objects("deployments"));
}
