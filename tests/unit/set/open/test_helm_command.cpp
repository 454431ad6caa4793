#include "set/helm_command.hpp"
#include "set/restore_guide.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::set;

namespace {

HelmRelease web() {
  HelmRelease release;
  release.name_space = "shop";
  release.target_namespace = "shop";
  release.name = "web";
  release.chart_name = "nginx";
  release.chart_version = "15.1.0";
  release.file = "shop/web.yaml";
  return release;
}

HelmCommand command_with(std::string HelmRelease::*field, const std::string& text) {
  HelmRelease release = web();
  release.*field = text;
  return helm_command(release, "/v");
}

} // namespace

TEST_CASE("a release gives the line that makes it anew, which no shell runs before REPO is set") {
  const HelmCommand command = helm_command(web(), "/v");
  CHECK(command.line ==
        "helm upgrade --install web \"${REPO:?}/nginx\" --namespace shop --create-namespace "
        "--version 15.1.0 -f /v/shop/web.yaml");
  CHECK(command.note.empty());
  CHECK(command.text() == command.line + "\n");
  CHECK(helm_command(web(), "-v/").line.ends_with(" -f ./-v/shop/web.yaml"));
  // Helm reads -f as a list of CSV fields.
  CHECK(helm_command(web(), "/a,b").line.ends_with(" -f '\"/a,b/shop/web.yaml\"'"));
  CHECK(helm_command(web(), "/a b").line.ends_with(" -f '/a b/shop/web.yaml'"));
}

TEST_CASE("a chart that is an address, a path or an option is a comment, never a command") {
  for (const std::string name : {"oci://evil.example/x",
                                 "https://evil.example/x.tgz",
                                 "./x",
                                 "../x",
                                 "/x",
                                 "x/y",
                                 "-x",
                                 "--post-renderer=x",
                                 ".x",
                                 "",
                                 "a b",
                                 "a\nb",
                                 "$(x)",
                                 "x;y",
                                 "`x`",
                                 "x\"",
                                 "${HOME}",
                                 "caf\xc3\xa9"}) {
    CAPTURE(name);
    const HelmCommand command = command_with(&HelmRelease::chart_name, name);
    CHECK(command.line.empty());
    CHECK(command.text().starts_with("# shop/web: no command, not a chart name: "));
    CHECK(command.text().find('\n') == command.text().size() - 1);
  }
  CHECK(!is_chart_name(std::string(251, 'a')));
  CHECK(is_chart_name("kube-prometheus_stack.2"));
}

TEST_CASE("names of releases and namespaces are Helm's and Kubernetes's") {
  for (const std::string name :
       {"--kubeconfig=x", "-f", "Web", "a_b", "a..b", ".a", "a.", "a-", "", "a/b", "a b"}) {
    CAPTURE(name);
    CHECK(command_with(&HelmRelease::name, name).line.empty());
    CHECK(command_with(&HelmRelease::target_namespace, name).line.empty());
  }
  CHECK(is_release_name("a.b-c.9"));
  CHECK(is_release_name(std::string(53, 'a')));
  CHECK(!is_release_name(std::string(54, 'a')));
  CHECK(!is_namespace("a.b"));
  CHECK(is_namespace(std::string(63, 'a')));
  CHECK(!is_namespace(std::string(64, 'a')));
}

TEST_CASE("versions are semantic ones") {
  for (const std::string version : {"1.2.3",
                                    "v1.2.3",
                                    "1",
                                    "1.2",
                                    "1.2.3-rc.1",
                                    "1.2.3+k3s1",
                                    "39.0.701+up39.0.7",
                                    "1.0.0-a-b+c.d"}) {
    CAPTURE(version);
    CHECK(is_chart_version(version));
  }
  for (const std::string version : {"",
                                    "-1",
                                    "1.2.3.4",
                                    ">=1",
                                    "^1",
                                    "1.x",
                                    "1..2",
                                    "1.2.3+",
                                    "1 2",
                                    "1'2",
                                    "latest",
                                    "1.2.3-",
                                    "1.2.3+a_b"}) {
    CAPTURE(version);
    CHECK(!is_chart_version(version));
    CHECK(command_with(&HelmRelease::chart_version, version).line.empty());
  }
}

TEST_CASE("what Flux keeps elsewhere than it runs gets the namespace that it runs in") {
  HelmRelease release = web();
  release.name_space = "flux-system";
  release.owner = api::ReleaseOwner{"Flux HelmRelease", "flux-system", "web"};
  const HelmCommand command = helm_command(release, "/v");
  CHECK(command.line.find(" --namespace shop ") != std::string::npos);
  CHECK(command.note ==
        "flux-system/web: owned by Flux HelmRelease flux-system/web, which installs it; by hand "
        "only where that is gone");
}

TEST_CASE("the digest that Flux adds to a version is no part of what a registry is asked for") {
  HelmRelease release = web();
  release.owner = api::ReleaseOwner{"Flux HelmRelease", "flux-system", "web"};
  const auto version_of = [&](const std::string& version) {
    release.chart_version = version;
    const std::string line = helm_command(release, "/v").line;
    const std::size_t begin = line.find("--version ") + std::string("--version ").size();
    return line.substr(begin, line.find(' ', begin) - begin);
  };
  CHECK(version_of("6.5.4+0cb6a7b2e1ab") == "6.5.4");
  CHECK(version_of("v6.5.4-rc.1+0123456789ab") == "v6.5.4-rc.1");
  // The publisher's own.
  for (const std::string own :
       {"6.5.4", "6.5.4+up1.2.3", "6.5.4+0CB6A7B2E1AB", "6.5.4+0cb6a7b2e1"}) {
    CHECK(version_of(own) == own);
  }
  release.owner.reset();
  CHECK(version_of("6.5.4+0cb6a7b2e1ab") == "6.5.4+0cb6a7b2e1ab");
}

TEST_CASE("a record that names another namespace, with nobody who keeps it there, is no command") {
  HelmRelease release = web();
  release.name_space = "tenant";
  release.target_namespace = "kube-system";
  const HelmCommand command = helm_command(release, "/v");
  CHECK(command.line.empty());
  CHECK(command.note.find("its record names the namespace kube-system") != std::string::npos);
  // An operator keeps it where its object is; only Flux and Fleet keep it elsewhere.
  release.owner = api::ReleaseOwner{"Nginx", "", "web"};
  CHECK(helm_command(release, "/v").line.empty());
  release.target_namespace = "tenant";
  CHECK(!helm_command(release, "/v").line.empty());
  CHECK(helm_command(release, "/v").note ==
        "tenant/web: owned by Nginx web, which installs it; by hand only where that is gone");
}

TEST_CASE("values of a revision that failed or was cut off are not told as those that ran") {
  HelmRelease release = web();
  release.revision = 7;
  for (const std::string status : {"deployed", "superseded", "unknown", ""}) {
    CAPTURE(status);
    release.status = status;
    CHECK(helm_command(release, "/v").note.empty());
  }
  for (const std::string status :
       {"failed", "pending-install", "pending-upgrade", "pending-rollback"}) {
    CAPTURE(status);
    release.status = status;
    const HelmCommand command = helm_command(release, "/v");
    CHECK(!command.line.empty());
    CHECK(command.note == "shop/web: revision 7 is " + status +
                              ": its values may be others than those that ran before");
  }
  release.owner = api::ReleaseOwner{"Fleet bundle", "", "web"};
  CHECK(helm_command(release, "/v").note ==
        "shop/web: owned by Fleet bundle web, which installs it; by hand only where that is gone; "
        "revision 7 is pending-rollback: its values may be others than those that ran before");
  release.status = "pending-\n\x1b[31m";
  CHECK(helm_command(release, "/v").note.find_first_of("\n\x1b") == std::string::npos);
}

TEST_CASE("what was uninstalled with --keep-history is not installed again by a line") {
  HelmRelease release = web();
  for (const std::string status : {"uninstalled", "uninstalling"}) {
    CAPTURE(status);
    release.status = status;
    const HelmCommand command = helm_command(release, "/v");
    CHECK(command.line.empty());
    CHECK(command.note == "shop/web: uninstalled: " + helm_command(web(), "/v").line);
  }
  release.chart_name = "oci://evil.example/x";
  CHECK(helm_command(release, "/v").note.starts_with("shop/web: no command, not a chart name"));
}

TEST_CASE("of a release in a Secret and in a ConfigMap one line is to be run") {
  HelmRelease release = web();
  release.revision = 2;
  release.file = "shop/web@configmap.yaml";
  const HelmCommand command = helm_command(release, "/v");
  CHECK(command.line.empty());
  CHECK(command.note.starts_with("shop/web: also in a ConfigMap (HELM_DRIVER=configmap), where the "
                                 "newest revision is 2: helm upgrade --install web "));
  CHECK(command.note.ends_with(" -f /v/shop/web@configmap.yaml"));
}

TEST_CASE("a chart that Fleet made of plain files is in no repository, so it gets no line") {
  HelmRelease release = web();
  release.owner = api::ReleaseOwner{"Fleet bundle", "", "apps-web"};
  for (const std::string version : {"v0.0.0+git-7d145304705f", "v0.0.0+s-0a1b2c"}) {
    CAPTURE(version);
    release.chart_version = version;
    const HelmCommand command = helm_command(release, "/v");
    CHECK(command.line.empty());
    CHECK(command.note == "shop/web: installed by Fleet bundle apps-web, which made the chart of "
                          "files that are in no chart repository; its values are "
                          "/v/shop/web.yaml");
  }
  release.chart_version = "15.1.0";
  CHECK(!helm_command(release, "/v").line.empty());
  release.chart_version = "v0.0.0+git-7d145304705f";
  release.owner.reset();
  CHECK(!helm_command(release, "/v").line.empty());
}

TEST_CASE("what k3s installs by itself is a comment that names the owner") {
  HelmRelease release = web();
  release.owner = api::ReleaseOwner{"HelmChart", "kube-system", "traefik"};
  const HelmCommand command = helm_command(release, "/v");
  CHECK(command.line.empty());
  CHECK(command.text() == "# shop/web: installed by HelmChart kube-system/traefik; its values are "
                          "/v/shop/web.yaml\n");
}

TEST_CASE("nothing of a comment is more than a comment") {
  HelmRelease release = web();
  release.owner = api::ReleaseOwner{"Flux HelmRelease", "a\nrm -rf /", "\x1b[31m\xe2\x80\xae"};
  release.file = "shop/web\n.yaml";
  for (const std::string& text : {helm_command(release, "/v").note,
                                  command_with(&HelmRelease::name, "\n\x1b\xc2\x9b").note}) {
    CHECK(text.find_first_of("\n\x1b\r") == std::string::npos);
    CHECK(text.find("\xc2\x9b") == std::string::npos);
    CHECK(text.find("\xe2\x80\xae") == std::string::npos);
  }
}

TEST_CASE("a word of a shell") {
  CHECK(shell_word("") == "''");
  CHECK(shell_word("~") == "'~'");
  CHECK(shell_word("1'2") == "'1'\\''2'");
}
