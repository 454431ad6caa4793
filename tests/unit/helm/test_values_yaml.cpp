#include "helm/values_yaml.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace rb;

namespace {

std::string yaml(std::string_view json) {
  const auto text = helm::values_yaml(json);
  return text ? std::string(text->text()) : "error: " + text.error().message;
}

} // namespace

TEST_CASE("ordinary values look as people write them") {
  CHECK(yaml(R"({"replicas":3,"image":{"repository":"registry.example.com/web","tag":"1.25.0"},
                 "hosts":["a.example.com","b.example.com"],"empty":{},"none":[],"text":"",
                 "ports":[{"name":"http","port":80},{"name":"https","port":443}],"on":true,"off":null,
                 "nested":[[1,2],["x"]],"url":"http://example.com:8080/x","title":"Hello world"})") ==
        R"(empty: {}
hosts:
- a.example.com
- b.example.com
image:
  repository: registry.example.com/web
  tag: "1.25.0"
nested:
- - 1
  - 2
- - x
none: []
"off": null
"on": true
ports:
- name: http
  port: 80
- name: https
  port: 443
replicas: 3
text: ""
title: Hello world
url: http://example.com:8080/x
)");
}

TEST_CASE("text of several lines is a literal block where that is exact") {
  CHECK(yaml(R"({"a":"x\ny\n","b":"x\n\n  y","c":{"d":["x\ny\n"]}})") ==
        "a: |\n  x\n  y\nb: |-\n  x\n\n    y\nc:\n  d:\n  - |\n    x\n    y\n");
}

TEST_CASE("and quoted where it is not") {
  for (const char* text : {R"(\nx)",
                           R"( x\ny)",
                           R"(\tx\ny)",
                           R"(x\ny\n\n)",
                           R"(\n)",
                           R"(x\r\ny)",
                           R"(x\n  \ny)",
                           R"(x\n\u2028y)",
                           R"(x\n\u0000y)",
                           R"(x\n\ufeffy)"}) {
    CAPTURE(text);
    CHECK(yaml(std::string(R"({"a":")") + text + R"("})").starts_with("a: \""));
  }
}

TEST_CASE("a string that some parser takes for something else is quoted, as value and as key") {
  for (const char* text :
       {"",           "~",    "null", "NULL", "true",  "False", "y",    "N",    "yes",
        "On",         "off",  "0",    "1.5",  "-1",    "+1",    "0x1F", "0o17", "017",
        "1_000",      "1e3",  ".5",   ".inf", "-.Inf", ".NaN",  "inf",  "NaN",  "12:30:45",
        "2001-01-01", "=",    "<<",   "-",    "- a",   "---",   "? a",  ": a",  "a:",
        "a: b",       "a #b", "#a",   "&a",   "*a",    "!a",    "|",    ">",    "%a",
        "@a",         "`a",   "{a",   "[a",   "a,b",   " a",    "a ",   "'a'"}) {
    CAPTURE(text);
    const std::string quoted = "\"" + std::string(text) + "\"";
    CHECK(yaml("{" + quoted + ":" + quoted + "}") == quoted + ": " + quoted + "\n");
  }
}

TEST_CASE("characters that YAML doesn't take, or takes for line breaks, are escaped") {
  CHECK(yaml(R"({"a":"\u0000\u0007\u001b\u007f\u0085\u00a0\u2028\u2029\ufeff\ufffe\t\r\n\"\\"})") ==
        "a: \"\\x00\\x07\\x1B\\x7F\\x85\xc2\xa0\\u2028\\u2029\\uFEFF\\uFFFE\\t\\r\\n\\\"\\\\\"\n");
  CHECK(yaml(R"({"a":"caf\u00e9 \ud83d\ude00"})") == "a: \"caf\xc3\xa9 \xf0\x9f\x98\x80\"\n");
}

TEST_CASE("half a surrogate pair, and what is not UTF-8, become U+FFFD as in Go") {
  CHECK(yaml(R"({"a":"\ud800x"})") == "a: \"\xef\xbf\xbdx\"\n");
  CHECK(yaml(R"({"a":"\udc00\ud800"})") == "a: \"\xef\xbf\xbd\xef\xbf\xbd\"\n");
  CHECK(yaml("{\"a\":\"\xff\xc3\"}") == "a: \"\xef\xbf\xbd\xef\xbf\xbd\"\n");
  CHECK(yaml("{\"a\":\"\xed\xa0\x80\"}") == "a: \"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"\n");
}

TEST_CASE("numbers keep their digits, and are numbers to YAML 1.1, too") {
  const auto number = [](const std::string& text) { return yaml("{\"a\":" + text + "}"); };
  for (const char* text :
       {"0", "-1", "9007199254740993", "18446744073709551616", "1.10", "-0.5", "0.1"}) {
    CHECK(number(text) == "a: " + std::string(text) + "\n");
  }
  CHECK(number("1e21") == "a: 1.0e+21\n");
  CHECK(number("1E+2") == "a: 1.0e+2\n");
  CHECK(number("1.5e-7") == "a: 1.5e-7\n");
  CHECK(number("-2.5E300") == "a: -2.5e+300\n");
  CHECK(number("1e400") == "error: bad json: a number out of range");
}

TEST_CASE("nothing at all is printed as Helm prints it") {
  CHECK(yaml("null") == "null\n");
  CHECK(yaml("{}") == "{}\n");
  CHECK(yaml(" { } ") == "{}\n");
}

TEST_CASE("keys are sorted, and of a key given twice the last one counts") {
  CHECK(yaml(R"({"b":1,"a":2,"b":3,"\u0061":4})") == "a: 4\nb: 3\n");
}

TEST_CASE("a key too long for its line is introduced by a question mark") {
  const std::string key(129, 'k');
  CHECK(yaml("{\"" + key + "\":{\"a\":1}}") == "? \"" + key + "\"\n: a: 1\n");
  CHECK(yaml("{\"" + key + "\":[1]}") == "? \"" + key + "\"\n: - 1\n");
  CHECK(yaml("{\"" + key + "\":\"x\\ny\"}") == "? \"" + key + "\"\n: |-\n  x\n  y\n");
}

TEST_CASE("deep values stay linear in size") {
  std::string json = "[1";
  for (int i = 0; i < 900; ++i) {
    json = "[" + json + "]";
  }
  CHECK(yaml("{\"a\":" + json + "]}").size() < 3 * json.size() + 4000);
}
