// `kubectl explain` and `kubectl get` read well: the kinds say in words what each field is.
#include "objects/manifests.hpp"

#include "base/fd.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

using namespace rb;
using nlohmann::json;

namespace {

std::vector<json> all_kinds() {
  std::vector<json> kinds;
  for (const auto& entry : std::filesystem::directory_iterator(RB_SOURCE_DIR "/crds")) {
    const auto text = read_text_file(entry.path().string(), std::size_t{1} << 20U);
    REQUIRE(text);
    const auto objects = objects::objects_of_yaml(*text);
    REQUIRE(objects);
    REQUIRE(objects->size() == 1);
    kinds.push_back(objects->front());
  }
  return kinds;
}

/// A sentence: it begins with a capital letter or a name, ends with a full stop or is a name. The
/// word that generators of CRDs leave where nobody wrote anything is none.
bool reads_well(const json& described) {
  const auto found = described.find("description");
  if (found == described.end() || !found->is_string()) {
    return false;
  }
  const auto text = found->get<std::string>();
  return text.size() >= 8 && text.front() != ' ' && text.find("TODO") == std::string::npos &&
         (text.back() == '.' || text.find(' ') == std::string::npos);
}

/// Paths of fields without a description; `metadata` is described by the API server.
void collect(const json& schema, const std::string& path, std::vector<std::string>& silent) {
  if (path != ".metadata" && !reads_well(schema)) {
    silent.push_back(path);
  }
  const json fields = schema.value("properties", json::object());
  for (const auto& [name, field] : fields.items()) {
    collect(field, path + "." + name, silent);
  }
  for (const char* const inner : {"items", "additionalProperties"}) {
    if (schema.contains(inner) && schema[inner].is_object()) {
      collect(schema[inner], path + "[]", silent);
    }
  }
}

} // namespace

TEST_CASE("every field of every kind has a description in words") {
  const std::vector<json> kinds = all_kinds();
  CHECK(kinds.size() == 3);
  for (const json& kind : kinds) {
    for (const json& version : kind["spec"]["versions"]) {
      std::vector<std::string> silent;
      collect(version["schema"]["openAPIV3Schema"], "", silent);
      for (const std::string& path : silent) {
        FAIL_CHECK(kind["spec"]["names"]["kind"].get<std::string>()
                   << path << ": no description in words");
      }
    }
  }
}

TEST_CASE("the columns say what they show, fit on a screen, and tell the outcome first") {
  for (const json& kind : all_kinds()) {
    const auto name = kind["spec"]["names"]["kind"].get<std::string>();
    CAPTURE(name);
    for (const json& version : kind["spec"]["versions"]) {
      const json& columns = version["additionalPrinterColumns"];
      std::set<std::string> names;
      std::size_t shown = 0;
      bool wide_began = false;
      for (const json& column : columns) {
        CAPTURE(column["name"].get<std::string>());
        CHECK(reads_well(column));
        CHECK(names.insert(column["name"].get<std::string>()).second);
        const bool wide = column.value("priority", 0) > 0;
        CHECK((wide || !wide_began)); // those of -o wide come last
        wide_began = wide_began || wide;
        shown += wide ? 0 : 1;
      }
      CHECK(shown <= 8);
      const auto first = columns[0]["name"].get<std::string>();
      CHECK((first == "Succeeded" || first == "Current"));
      CHECK(columns[1]["name"] == "Reason");
      CHECK(columns.back()["name"] == "Message"); // the longest
    }
    CHECK_FALSE(kind["spec"]["names"]["shortNames"].empty());
  }
}
