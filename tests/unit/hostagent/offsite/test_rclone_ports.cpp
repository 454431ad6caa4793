#include "offsite/rclone_ports.hpp"

#include <doctest/doctest.h>

using namespace rb::offsite;

TEST_CASE("the port of a remote is found in rclone.conf") {
  using Ports = std::vector<int>;
  const char* const config =
      "# mine\n"
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
      "[disk]\ntype = local\n"
      "[both]\ntype = union\nupstreams = box:a /mnt/x minio:b:nc box:c disk:\n"
      "[dirs]\ntype = combine\nupstreams = a=secret:x \"b=my nas:y z\"\n"
      "[my nas]\ntype = smb\nhost = nas.lan\n"
      "[half]\ntype = union\nupstreams = box:a :sftp,host=h:b\n"
      "[swift]\ntype = swift\nauth = https://keystone.example:5000/v3\n"
      "[hdfs]\ntype = hdfs\nnamenode = n1\n"
      "[storj]\ntype = storj\nsatellite_address = 12ab@eu1.storj.io:7777\n";
  CHECK(remote_ports(config, "box:backups/cluster") == Ports{23});
  CHECK(remote_ports(config, "plain:") == Ports{22});
  CHECK(remote_ports(config, "minio:b") == Ports{9000});
  CHECK(remote_ports(config, "bare:b") == Ports{9001});
  CHECK(remote_ports(config, "aws:b") == Ports{443});
  CHECK(remote_ports(config, "cloud:b") == Ports{443});
  CHECK(remote_ports(config, "http:b") == Ports{80});
  CHECK(remote_ports(config, "six:b") == Ports{443});
  CHECK(remote_ports(config, "secret:") == Ports{23});
  CHECK(remote_ports(config, "loop:").empty());
  CHECK(remote_ports(config, "disk:").empty());
  CHECK(remote_ports(config, "other:").empty());
  CHECK(remote_ports("", "box:").empty());
  CHECK(remote_ports(config, "both:b") == Ports{23, 9000});
  CHECK(remote_ports(config, "dirs:") == Ports{23, 445});
  CHECK(remote_ports(config, "half:").empty());
  CHECK(remote_ports(config, "swift:b") == Ports{5000});
  CHECK(remote_ports(config, "hdfs:b") == Ports{8020});
  CHECK(remote_ports(config, "storj:b") == Ports{7777});
}

TEST_CASE("what the policy does not let through is said with the setting, and nothing else is") {
  CHECK(unreachable_hint({443}, {443}).empty());
  CHECK(unreachable_hint({23}, {}).empty());
  CHECK(unreachable_hint({}, {}).empty());
  const std::string hint = unreachable_hint({23}, {443, 8443});
  CHECK(hint.find("port 23") != std::string::npos);
  CHECK(hint.find("443,8443") != std::string::npos);
  CHECK(hint.find("networkPolicy.offsitePorts={23}") != std::string::npos);
  CHECK(hint.find("helm upgrade ... --reset-then-reuse-values --set") != std::string::npos);
  CHECK(unreachable_hint({}, {443}).find("networkPolicy.offsitePorts") != std::string::npos);
  const std::string both = unreachable_hint({23, 443}, {443});
  CHECK(both.find("port 23,") != std::string::npos);
  CHECK(both.find("networkPolicy.offsitePorts={23,443}") != std::string::npos);
}
