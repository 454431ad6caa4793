#include "offsite/remote_port.hpp"

#include <doctest/doctest.h>

using namespace rb::offsite;

TEST_CASE("the port of a remote is found in rclone.conf") {
  const char* const config = "# mine\n"
                             "[box]\ntype = sftp\nhost = backup.example\nport = 23\n"
                             "[plain]\ntype=sftp\nhost=h\n"
                             "[minio]\ntype = s3\nendpoint = http://minio.lan:9000\n"
                             "[bare]\ntype = s3\nendpoint = minio.lan:9001\n"
                             "[aws]\ntype = s3\nprovider = AWS\n"
                             "[cloud]\ntype = webdav\nurl = https://me@cloud.example/dav:8/x\n"
                             "[http]\ntype = webdav\nurl = http://cloud.example/dav\n"
                             "[six]\ntype = webdav\nurl = https://[fd00::1]/dav\n"
                             "[secret]\ntype = crypt\nremote = box:backups\n"
                             "[loop]\ntype = alias\nremote = loop:x\n"
                             "[disk]\ntype = local\n";
  CHECK(remote_port(config, "box:backups/cluster") == 23);
  CHECK(remote_port(config, "plain:") == 22);
  CHECK(remote_port(config, "minio:b") == 9000);
  CHECK(remote_port(config, "bare:b") == 9001);
  CHECK(remote_port(config, "aws:b") == 443);
  CHECK(remote_port(config, "cloud:b") == 443);
  CHECK(remote_port(config, "http:b") == 80);
  CHECK(remote_port(config, "six:b") == 443);
  CHECK(remote_port(config, "secret:") == 23);
  CHECK_FALSE(remote_port(config, "loop:"));
  CHECK_FALSE(remote_port(config, "disk:"));
  CHECK_FALSE(remote_port(config, "other:"));
  CHECK_FALSE(remote_port("", "box:"));
}

TEST_CASE("what the policy does not let through is said with the setting, and nothing else is") {
  CHECK(unreachable_hint(443, {443}).empty());
  CHECK(unreachable_hint(23, {}).empty());
  CHECK(unreachable_hint({}, {}).empty());
  const std::string hint = unreachable_hint(23, {443, 8443});
  CHECK(hint.find("port 23") != std::string::npos);
  CHECK(hint.find("443,8443") != std::string::npos);
  CHECK(hint.find("networkPolicy.offsitePorts={23}") != std::string::npos);
  CHECK(unreachable_hint({}, {443}).find("networkPolicy.offsitePorts") != std::string::npos);
}
