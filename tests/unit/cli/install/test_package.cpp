#include "cli/install/package.hpp"
#include "fake_k3s.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::install;
using test::Scratch;

TEST_CASE("a package is looked for beside the program, then where systems have theirs") {
  // The bundle's loader, and the program itself where the image has the bundle.
  for (const char* const program : {"/opt/rb/lib/ld.so", "/opt/rb/libexec/railiance-backup"}) {
    CHECK(package_places(program) == std::vector<std::string>{"/opt/rb/share",
                                                              "/usr/local/share/railiance-backup",
                                                              "/usr/share/railiance-backup"});
  }
  CHECK(package_places("").size() == 2);
}

TEST_CASE("the first place with manifests is the package, and must be a whole one") {
  const Scratch scratch;
  scratch.write("two/railiance-backup.yaml", "");
  scratch.write("two/images/railiance-backup.tar", "");
  scratch.write("three/railiance-backup.yaml", "");
  scratch.write("three/images/railiance-backup.tar", "");
  const auto found =
      find_package({scratch.path("one"), scratch.path("two"), scratch.path("three")});
  REQUIRE(found);
  CHECK(found->manifests == scratch.path("two/railiance-backup.yaml"));
  CHECK(found->image == scratch.path("two/images/railiance-backup.tar"));

  scratch.write("half/railiance-backup.yaml", "");
  const auto half = find_package({scratch.path("half"), scratch.path("two")});
  REQUIRE_FALSE(half);
  CHECK(half.error().code == ErrorCode::not_found);
  const auto none = find_package({scratch.path("one")});
  REQUIRE_FALSE(none);
  CHECK(none.error().message.find(scratch.path("one")) != std::string::npos);
}

TEST_CASE("an image is known by the tag that holds its digest, and says its architecture") {
  const Scratch scratch;
  scratch.write("image.tar", test::image_archive("arm64"));
  const auto image = read_image(scratch.path("image.tar"));
  REQUIRE(image);
  CHECK(image->architecture == "arm64");
  CHECK(image->name.starts_with("docker.io/library/railiance-backup:0.1.0-"));
}

TEST_CASE("what is no such image is refused, and the file is named") {
  const Scratch scratch;
  const std::string whole = test::image_archive("amd64");
  std::string changed = whole;
  changed.replace(changed.find("\"linux\""), 7, "\"Linux\""); // in the configuration
  const std::vector<std::pair<std::string, ErrorCode>> archives{
      {"", ErrorCode::corrupt},
      {"not a tar archive", ErrorCode::corrupt},
      {whole.substr(0, whole.size() / 2), ErrorCode::corrupt},
      {changed, ErrorCode::corrupt},
      {test::image_archive("amd64", "0123456789aX"), ErrorCode::unsupported},
      {test::image_archive("amd64", "short"), ErrorCode::unsupported}};
  for (const auto& [content, code] : archives) {
    CAPTURE(content.size());
    scratch.write("image.tar", content);
    const auto image = read_image(scratch.path("image.tar"));
    REQUIRE_FALSE(image);
    CHECK(image.error().code == code);
    CHECK(image.error().message.find("image.tar") != std::string::npos);
  }
  CHECK(read_image(scratch.path("none.tar")).error().code == ErrorCode::not_found);
}
