// What of the operator's environment rclone gets to see.
#include "restore/backups.hpp"

#include <doctest/doctest.h>

using namespace rb::restore;

TEST_CASE("rclone finds its remotes and their keys where it finds them for the operator") {
  const auto environment = rclone_environment({"PATH=/usr/bin",
                                               "RCLONE_CONFIG=/etc/rclone.conf",
                                               "RCLONE_CONFIG_PASS=a=b",
                                               "RCLONE_PASSWORD_COMMAND=pass rclone",
                                               "RCLONE_CONFIG_BOX_TYPE=sftp",
                                               "RCLONE_CONFIG_BOX_HOST=box.example",
                                               "SSH_AUTH_SOCK=/run/agent",
                                               "AWS_ACCESS_KEY_ID=id",
                                               "AWS_PROFILE=backup",
                                               "https_proxy=http://proxy:3128"});
  CHECK(environment.size() == 10);
  CHECK(environment.at("RCLONE_CONFIG_PASS") == "a=b");
  CHECK(environment.at("RCLONE_CONFIG_BOX_TYPE") == "sftp");
  CHECK(environment.at("SSH_AUTH_SOCK") == "/run/agent");
  CHECK(environment.at("AWS_PROFILE") == "backup");
}

TEST_CASE("rclone sees nothing that changes what it copies, and nothing of others") {
  CHECK(rclone_environment({"RCLONE_DRY_RUN=true",
                            "RCLONE_LOG_FILE=/tmp/log",
                            "RCLONE_EXCLUDE=*.age",
                            "SOPS_AGE_KEY_FILE=/root/keys.txt",
                            "K3S_TOKEN=secret",
                            "HOME=",
                            "TERM"})
            .empty());
}
