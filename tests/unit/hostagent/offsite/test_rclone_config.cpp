#include "offsite/rclone_config.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::offsite;

namespace {

constexpr const char* k_secret = "[box]\ntype = box\ntoken = {\"refresh_token\":\"one\"}\n";
constexpr const char* k_renewed = "[box]\ntype = box\ntoken = {\"refresh_token\":\"two\"}\n";

} // namespace

TEST_CASE("rclone gets a copy of its own of rclone.conf, which nobody else can read") {
  const test::TemporaryDirectory temporary;
  const std::string source = temporary.file("rclone.conf");
  test::write_file(source, k_secret);
  const RcloneConfig config(source, "cp-1", temporary.file("state/rclone"));
  REQUIRE(config.refresh());
  CHECK(config.path() == temporary.file("state/rclone/rclone.conf"));
  CHECK(test::read_file(config.path()) == k_secret);
  CHECK(test::mode_of(config.path()) == "600");
  CHECK(test::mode_of(temporary.file("state/rclone")) == "700");

  // rclone has kept the next token, also over a restart.
  test::write_file(config.path(), k_renewed);
  REQUIRE(RcloneConfig(source, "cp-1", temporary.file("state/rclone")).refresh());
  CHECK(test::read_file(config.path()) == k_renewed);

  SUBCASE("the operator changed the Secret") {
    test::write_file(temporary.file("state/rclone/rclone.conf123"), k_renewed); // it was killed
    test::write_file(source, "[box]\ntype = webdav\n");
    REQUIRE(config.refresh());
    CHECK(test::read_file(config.path()) == "[box]\ntype = webdav\n");
    CHECK_FALSE(std::filesystem::exists(temporary.file("state/rclone/rclone.conf123")));
  }
  SUBCASE("the operator took it away, and gave it back") {
    std::filesystem::remove(source);
    REQUIRE(config.refresh());
    CHECK_FALSE(std::filesystem::exists(config.path()));
    test::write_file(source, k_secret);
    REQUIRE(config.refresh());
    CHECK(test::read_file(config.path()) == k_secret);
  }
  SUBCASE("the copy is gone") {
    std::filesystem::remove(config.path());
    REQUIRE(config.refresh());
    CHECK(test::read_file(config.path()) == k_secret);
  }
}

TEST_CASE("a server with a file of its own in the Secret has that, and no other server's") {
  const test::TemporaryDirectory temporary;
  const std::string source = temporary.file("rclone.conf");
  test::write_file(source, k_secret);
  test::write_file(temporary.file("rclone-cp-2.conf"), k_renewed);
  const RcloneConfig first(source, "cp-1", temporary.file("one"));
  const RcloneConfig second(source, "cp-2", temporary.file("two"));
  REQUIRE(first.refresh());
  REQUIRE(second.refresh());
  CHECK(first.source() == source);
  CHECK(test::read_file(first.path()) == k_secret);
  CHECK(test::read_file(second.path()) == k_renewed);

  // The shared one is another's concern.
  test::write_file(second.path(), "kept by rclone");
  test::write_file(source, "[box]\ntype = webdav\n");
  REQUIRE(second.refresh());
  CHECK(test::read_file(second.path()) == "kept by rclone");

  std::filesystem::remove(source);
  REQUIRE(second.refresh());
  CHECK(test::read_file(second.path()) == "kept by rclone");
  std::filesystem::remove(temporary.file("rclone-cp-2.conf"));
  REQUIRE(second.refresh());
  CHECK_FALSE(std::filesystem::exists(second.path()));
}

TEST_CASE("the port of a remote is found in rclone.conf") {
  using Ports = std::vector<int>;
  const auto ports_of = [](std::string_view text, const std::string& remote) {
    return remote_ports(text, remote).numbers;
  };
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
  CHECK(ports_of(config, "box:backups/cluster") == Ports{23});
  CHECK(ports_of(config, "plain:") == Ports{22});
  CHECK(ports_of(config, "minio:b") == Ports{9000});
  CHECK(ports_of(config, "bare:b") == Ports{9001});
  CHECK(ports_of(config, "aws:b") == Ports{443});
  CHECK(ports_of(config, "cloud:b") == Ports{443});
  CHECK(ports_of(config, "http:b") == Ports{80});
  CHECK(ports_of(config, "six:b") == Ports{443});
  CHECK(ports_of(config, "secret:") == Ports{23});
  CHECK(ports_of(config, "loop:").empty());
  CHECK(ports_of(config, "disk:").empty());
  CHECK(ports_of(config, "other:").empty());
  CHECK(ports_of("", "box:").empty());
  CHECK(ports_of(config, "both:b") == Ports{23, 9000});
  CHECK(ports_of(config, "dirs:") == Ports{23, 445});
  CHECK(ports_of(config, "half:").empty());
  CHECK(ports_of(config, "swift:b") == Ports{5000});
  CHECK(ports_of(config, "hdfs:b") == Ports{8020});
  CHECK(ports_of(config, "storj:b") == Ports{7777});
}

TEST_CASE("what the policy does not let through is said with the setting, and nothing else is") {
  CHECK(unreachable_hint({{443}}, {443}).empty());
  CHECK(unreachable_hint({{23}}, {}).empty());
  CHECK(unreachable_hint({}, {}).empty());
  const std::string hint = unreachable_hint({{23}}, {443, 8443});
  CHECK(hint.find("port 23") != std::string::npos);
  CHECK(hint.find("443,8443") != std::string::npos);
  CHECK(hint.find("networkPolicy.offsitePorts={23}") != std::string::npos);
  CHECK(hint.find("helm upgrade ... --reset-then-reuse-values --set") != std::string::npos);
  CHECK(unreachable_hint({}, {443}).find("networkPolicy.offsitePorts") != std::string::npos);
  const std::string both = unreachable_hint({{23, 443}}, {443});
  CHECK(both.find("port 23,") != std::string::npos);
  CHECK(both.find("networkPolicy.offsitePorts={23,443}") != std::string::npos);
}

TEST_CASE("keys may end with a colon, and a section may say that it goes by another way") {
  const char* const config =
      "[ box ]\ntype: sftp\nhost: backup.example\nport: 23\n"
      "[mega]\ntype = mega\nuser = me\n"
      "[mega-tls]\ntype = mega\nuse_https = true\n"
      "[ftp]\ntype = ftp\nhost = h\nport = 2121\n"
      "[sealed]\ntype = crypt\nremote = ftp:x\n"
      "[tor]\ntype = sftp\nhost = h\nport = 23\nsocks_proxy = me:pw@proxy:9050\n"
      "[socks]\ntype = ftp\nhost = h\nsocks_proxy = proxy\n"
      "[out]\ntype = ftp\nhost = h\nhttp_proxy = http://proxy.lan:3128\n";
  CHECK(remote_ports(config, "box:x") == RemotePorts{{23}});
  CHECK(remote_ports(config, "mega:x") == RemotePorts{{80, 443}});
  CHECK(remote_ports(config, "mega-tls:x") == RemotePorts{{443}});
  CHECK(remote_ports(config, "ftp:x") == RemotePorts{{2121}, true});
  CHECK(remote_ports(config, "sealed:") == RemotePorts{{2121}, true});
  CHECK(remote_ports(config, "tor:") == RemotePorts{{9050}});
  CHECK(remote_ports(config, "socks:") == RemotePorts{{1080}});
  CHECK(remote_ports(config, "out:") == RemotePorts{{3128}});
}

TEST_CASE("a connection that did not come about names a port that no file names") {
  const auto hint = [](const char* said) { return unreachable_hint({{443}}, {443}, said); };
  // Swift names its storage only when it is asked, and MinIO may send elsewhere.
  const std::string named = hint("Failed to lsjson: dial tcp 10.0.0.5:9000: i/o timeout\n");
  CHECK(named.find("at port 9000,") != std::string::npos);
  CHECK(named.find("networkPolicy.offsitePorts={443,9000}") != std::string::npos);
  CHECK(hint("dial tcp [fd00::1]:8080: connect: connection refused").find("at port 8080,") !=
        std::string::npos);
  CHECK(hint("dial tcp 10.42.0.7:41234->10.0.0.5:22: i/o timeout").find("at port 22,") !=
        std::string::npos);
  for (const char* const said : {"dial tcp 10.0.0.5:443: i/o timeout",
                                 "dial tcp: lookup cloud.example on 10.43.0.10:53: no such host",
                                 "dial udp 10.43.0.10:53: i/o timeout",
                                 "dial tcp [fd00::1]: missing port in address",
                                 "dial tcp ",
                                 "dial tcp x:y"}) {
    CAPTURE(said);
    CHECK(hint(said).empty());
  }
  // What the file does not say is not known to be all: what is let through stays.
  CHECK(unreachable_hint({}, {443}, "dial tcp 10.0.0.5:22: i/o timeout")
            .find("networkPolicy.offsitePorts={22,443}") != std::string::npos);
}

TEST_CASE("FTP is told that no list of ports lets its data through") {
  const RemotePorts ftp{{21}, true};
  CHECK(unreachable_hint(ftp, {21}).empty());
  CHECK(unreachable_hint(ftp, {21}, "dial tcp 10.0.0.5:21: i/o timeout").empty());
  CHECK(unreachable_hint(ftp, {21}, "dial tcp 10.0.0.5:50123: i/o timeout").find("SFTP") !=
        std::string::npos);
  CHECK(unreachable_hint(ftp, {443}).find("networkPolicy.offsitePorts cannot name") !=
        std::string::npos);
}
