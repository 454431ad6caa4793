#include "objects/manifests.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::objects;
using nlohmann::json;

namespace {

constexpr const char* k_head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

Result<std::vector<json>> read(const std::string& text) {
  return objects_of_yaml(text);
}

json data_of(const std::string& yaml) {
  const auto objects = read(std::string(k_head) + "data:\n" + yaml);
  REQUIRE(objects);
  REQUIRE(objects->size() == 1);
  return objects->front()["data"];
}

} // namespace

TEST_CASE("documents are objects in their order; empty ones and comments are none") {
  const auto objects =
      read(std::string("# nothing\n---\n") + k_head + "---\n---\n# nothing\n---\n" +
           "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\n");
  REQUIRE(objects);
  REQUIRE(objects->size() == 2);
  CHECK((*objects)[0]["kind"] == "ConfigMap");
  CHECK((*objects)[1]["metadata"]["name"] == "b");
  CHECK(read("").value().empty());
}

TEST_CASE("scalars are what Kubernetes makes of them") {
  const json data = data_of("  number: 42\n  negative: -1\n  text: \"42\"\n  yes: 'true'\n"
                            "  on_off: true\n  nothing:\n  tilde: ~\n  version: 0.1.0\n"
                            "  fraction: 1.5\n  octal: \"0600\"\n  path: /a/b\n"
                            "  folded: >-\n    one\n    two\n  list: [a, 1]\n");
  CHECK(data["number"] == 42);
  CHECK(data["negative"] == -1);
  CHECK(data["text"] == "42");
  CHECK(data["yes"] == "true");
  CHECK(data["on_off"] == true);
  CHECK(data["nothing"].is_null());
  CHECK(data["tilde"].is_null());
  CHECK(data["version"] == "0.1.0");
  CHECK(data["fraction"] == 1.5);
  CHECK(data["octal"] == "0600");
  CHECK(data["path"] == "/a/b");
  CHECK(data["folded"] == "one two");
  CHECK(data["list"] == json::array({"a", 1}));
}

TEST_CASE("what is no object, or may be read in two ways, is refused with its line") {
  const std::vector<std::pair<std::string, std::string>> bad{
      {"kind: [", "not YAML"},
      {"- a\n", "no object"},
      {"a text", "no object"},
      {"apiVersion: v1\nkind: ConfigMap\n", "no object"},
      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "no object"},
      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 7}\n", "no object"},
      {std::string(k_head) + "data:\n  a: yes\n", "line 5: 'yes' needs quotes"},
      {std::string(k_head) + "data:\n  a: 1\n  a: 2\n", "line 6: a key stands twice"},
      {std::string(k_head) + "data:\n  [a]: 1\n", "a key that is no text"},
      {std::string(k_head) + "data: " + std::string(300, '[') + std::string(300, ']'),
       "nested too deeply"},
  };
  for (const auto& [text, words] : bad) {
    CAPTURE(words);
    const auto objects = read(text);
    REQUIRE_FALSE(objects);
    CHECK(objects.error().code == ErrorCode::corrupt);
    CHECK(objects.error().message.find(words) != std::string::npos);
  }
}
