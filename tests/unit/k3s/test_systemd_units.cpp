// Which files systemd takes for a unit, and which units there are.
#include "k3s/systemd.hpp"
#include "support/map_files.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::k3s;
using test::MapFiles;

namespace {

const std::string k_etc = "/etc/systemd/system/";
const std::string k_run = "/run/systemd/system/";
const std::string k_usr = "/usr/lib/systemd/system/";

/// Its path; "" where there is none.
std::string path_of(const HostFiles& files, const std::string& unit) {
  const auto found = unit_file(files, unit);
  return found ? found->path : "";
}

std::vector<std::string> names_in(const HostFiles& files) {
  std::vector<std::string> names;
  for (const UnitName& unit : unit_names(files)) {
    names.push_back(unit.name + (unit.link.empty() ? "" : " by " + unit.link));
  }
  return names;
}

} // namespace

TEST_CASE("units: the first directory counts, and what is there and is no file masks the others") {
  const std::string unit = "k3s.service";
  CHECK(path_of(MapFiles{{k_usr + unit, "u"}}, "k3s") == k_usr + unit);
  CHECK(path_of(MapFiles{{k_usr + unit, "u"}, {k_run + unit, "r"}}, "k3s") == k_run + unit);
  CHECK(path_of(MapFiles{{k_run + unit, "r"}, {k_etc + unit, "e"}}, "k3s") == k_etc + unit);
  CHECK(path_of(MapFiles{{k_usr + "k3s-agent.service", "u"}}, "k3s").empty());
  const MapFiles masked{{k_etc + unit + "/no file", ""}, {k_usr + unit, "u"}};
  CHECK(path_of(masked, "k3s").empty());
  const MapFiles late{{k_etc + unit, "e"}, {k_usr + unit + "/no file", ""}};
  CHECK(unit_file(late, "k3s").value().text == "e");
}

TEST_CASE("units: an instance has its own file, else its template's, and may be masked alone") {
  const MapFiles files{{k_etc + "k3s@.service", "template"},
                       {k_usr + "k3s@own.service", "own"},
                       {k_usr + "k3s@masked.service/no file", ""}};
  CHECK(path_of(files, "k3s@server") == k_etc + "k3s@.service");
  CHECK(path_of(files, "k3s@own") == k_usr + "k3s@own.service");
  CHECK(path_of(files, "k3s@masked").empty());
  CHECK(path_of(files, "k3s@") == k_etc + "k3s@.service");
  CHECK(path_of(files, "k3s").empty());
}

TEST_CASE("units: drop-ins go by their names alone; the nearer directory and place hide a name") {
  const MapFiles files{{k_usr + "k3s@a-b.service.d/10.conf", "own, of a package"},
                       {k_etc + "k3s@a-b.service.d/10.conf", "own"},
                       {k_etc + "k3s@.service.d/10.conf", "hidden: of the template"},
                       {k_etc + "k3s@.service.d/05.conf", "of the template"},
                       {k_etc + "k3s@a-.service.d/20.conf", "of the prefix"},
                       {k_etc + "service.d/20.conf", "hidden: of all services"},
                       {k_run + "service.d/30.conf", "of all services"},
                       {k_etc + "k3s@a-b.service.d/40.conf.bak", "no drop-in"},
                       {k_etc + "k3s.service.d/50.conf", "of another unit"}};
  std::vector<std::string> texts;
  for (const UnitFile& file : drop_ins(files, "k3s@a-b")) {
    texts.push_back(file.text);
  }
  CHECK(texts ==
        std::vector<std::string>{"of the template", "own", "of the prefix", "of all services"});
}

TEST_CASE(
    "units: k3s's own name goes first, then names like it, and what is enabled before others") {
  const MapFiles files{{k_etc + "cron.service", ""},
                       {k_etc + "k3s-agent.service", ""},
                       {k_usr + "k3s.service", ""},
                       {k_usr + "k3s@.service", ""},
                       {k_etc + "multi-user.target.wants/k3s@b.service", ""},
                       {k_etc + "multi-user.target.wants/cron.service", ""},
                       {k_etc + "multi-user.target.wants/k3s@.service", ""},
                       {k_etc + "other.target.wants.old/k3s@x.service", ""},
                       {k_etc + "k3s@c.service.d/10.conf", ""},
                       {k_etc + "k3s@.service.d/10.conf", ""},
                       {k_etc + "k3s.socket", ""}};
  CHECK(names_in(files) ==
        std::vector<std::string>{"k3s",
                                 "k3s@b by " + k_etc + "multi-user.target.wants/k3s@b.service",
                                 "k3s-agent",
                                 "k3s@",
                                 "k3s@c",
                                 "cron"});
  CHECK(UnitName{"k3s@", {}}.is_template());
  CHECK_FALSE(UnitName{"k3s@b", {}}.is_template());
}

TEST_CASE("units: of several links that enable an instance the first is told") {
  const MapFiles files{{k_usr + "multi-user.target.wants/k3s@a.service", ""},
                       {k_etc + "other.target.requires/k3s@a.service", ""}};
  CHECK(names_in(files) ==
        std::vector<std::string>{"k3s@a by " + k_etc + "other.target.requires/k3s@a.service"});
}

TEST_CASE("units: a byte order mark is none of the first line, and two backslashes end a line") {
  const auto keys = [](const std::string& text) {
    std::string all;
    for (const UnitLine& line : service_lines(text)) {
      all += line.key + "=" + line.value + ";";
    }
    return all;
  };
  CHECK(keys("\xEF\xBB\xBF[Service]\nA=1\n") == "A=1;");
  CHECK(keys("[Service]\nA=x\\\nB=1\n") == "A=x B=1;");
  CHECK(keys("[Service]\nA=x\\\\\nB=1\n") == "A=x\\\\;B=1;");
  CHECK(keys("[Service]\nA=x\\\\\\\nB=1\n") == "A=x\\\\ B=1;");
}

TEST_CASE("units: characters by their number, as systemd-escape and C write them") {
  using Words = std::vector<std::string>;
  CHECK(unit_words(R"(a\x20b \055\055c "\x2D\x2d")") == Words{"a b", "--c", "--"});
  CHECK(unit_words(R"(\x2 \x2g \08 \x00 \777)") ==
        Words{R"(\x2)", R"(\x2g)", R"(\08)", R"(\x00)", R"(\777)"});
}
