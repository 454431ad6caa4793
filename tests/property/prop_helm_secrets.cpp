// Whatever bytes lie in release Secrets: what the controller makes of them its readers take, and
// verify, drill and restore never call the set damaged.
#include "support/helm_secrets.hpp"
#include "support/random.hpp"

#include <map>
#include <set>

using namespace rb;
using test::Random;

namespace {

std::string pick(Random& random, const std::vector<std::string>& some) {
  return some[random.below(some.size())];
}

std::string random_bytes(Random& random, std::size_t most) {
  std::string bytes(random.below(most + 1), '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(random.below(256));
  }
  return bytes;
}

/// What stands between the quotes of a JSON string.
std::string random_text(Random& random) {
  static const std::vector<std::string> k_parts{
      "app",       "App",          "..",        "/",
      "-x",        "oci://evil/x", "1.2.3+up1", R"(\u0000)",
      R"(\n)",     R"(\u0085)",    R"(\u202e)", R"(\u001b[2J)",
      R"(\ud800)", "\xff\xfe",     "\xc2\x9b",  "\xe2\x80\xae",
      " ",         "index.json",   "raw",       "@configmap",
      "null",      "\\\\",         "\\\""};
  std::string text;
  for (std::size_t count = random.below(5); count > 0; --count) {
    text += pick(random, k_parts);
  }
  return random.below(12) == 0 ? text + std::string(random.below(2000), 'x') : text;
}

std::string random_tree(Random& random, std::size_t depth) {
  switch (random.below(depth == 0 ? 5 : 8)) {
  case 0:
    return "\"" + random_text(random) + "\"";
  case 1:
    return std::to_string(random.next());
  case 2:
    return pick(random, {"null", "true", "1e308", "-0.0", "1e400", "9007199254740993", "nul", ""});
  case 3:
    return "\"" + std::string(random.below(3000), 'y') + "\"";
  case 4:
    return test::nested(random.below(3) == 0 ? 350 + random.below(300) : random.below(50),
                        R"("a\na\na\nb")");
  case 5: {
    std::string list = "[";
    for (std::size_t count = random.below(5); count > 0; --count) {
      list += random_tree(random, depth - 1) + (count == 1 ? "" : ",");
    }
    return list + "]";
  }
  default: {
    std::string object = "{";
    for (std::size_t count = random.below(5); count > 0; --count) {
      object += "\"" + random_text(random) + "\":" + random_tree(random, depth - 1) +
                (count == 1 ? "" : ",");
    }
    return object + "}";
  }
  }
}

std::string random_record(Random& random, const helm::StoredRelease& object) {
  const auto text = [&] { return "\"" + random_text(random) + "\""; };
  const auto label = object.labels.find("name");
  const std::string name =
      label != object.labels.end() && random.below(4) != 0 ? "\"" + label->second + "\"" : text();
  std::string json = R"({"name":)" + name + R"(,"version":)" +
                     (random.below(9) == 0 ? random_tree(random, 1) : "1");
  if (random.below(3) != 0) {
    json += R"(,"info":{"status":)" + text() + R"(,"last_deployed":)" + text() + "}";
  }
  if (random.below(3) != 0) {
    json += R"(,"chart":{"metadata":{"name":)" + text() + R"(,"version":)" + text() +
            R"(,"appVersion":)" + text() + "}}";
  }
  if (random.below(4) == 0) {
    json += R"(,"namespace":)" + text();
  }
  return json + R"(,"config":)" +
         (random.below(2) == 0 ? R"({"k":)" + random_tree(random, 4) + "}"
                               : random_tree(random, 4)) +
         "}";
}

helm::StoredRelease random_object(Random& random) {
  static const std::vector<std::string> k_spaces{
      "ns", "tenant", "raw", "index.json", "..", "", "a/b", "NS", "n\x01", std::string(300, 's')};
  static const std::vector<std::string> k_names{"app",
                                                "App",
                                                "APP",
                                                "raw",
                                                "index.json",
                                                "..",
                                                ".",
                                                "",
                                                "a/b",
                                                "x\x7f",
                                                "-x",
                                                "caf\xc3\xa9",
                                                std::string(300, 'n'),
                                                std::string(200, 'm'),
                                                "v.v2"};
  const bool usual = random.below(3) != 0;
  helm::StoredRelease object = test::stored(
      usual ? pick(random, {"ns", "tenant", "raw"}) : pick(random, k_spaces),
      usual ? pick(random, {"app", "App", "web"}) : pick(random, k_names),
      1 + static_cast<int>(random.below(2)),
      random.below(4) == 0 ? helm::StorageKind::config_map : helm::StorageKind::secret);
  if (random.below(6) == 0) {
    object.labels.clear();
  }
  if (random.below(8) == 0) {
    object.object_name = pick(random, k_names);
  }
  return object;
}

std::string random_data(Random& random, const helm::StoredRelease& object) {
  const bool secret = object.kind == helm::StorageKind::secret;
  const auto api = [&](std::string record) {
    return secret ? to_base64(as_bytes(record)) : record;
  };
  switch (random.below(6)) {
  case 0:
    return random_bytes(random, 200);
  case 1:
    return api(random_bytes(random, 200));
  case 2: {
    std::string record = test::record_of(random_record(random, object));
    record[random.below(record.size())] = static_cast<char>(random.below(256));
    return api(record);
  }
  default:
    return api(test::record_of(random_record(random, object)));
  }
}

struct Given {
  std::size_t objects = 0;
  std::multiset<std::string> stored; ///< Of each object, the bytes as they were stored.
};

Given fill(Random& random, helm::Collector& collector) {
  Given given;
  for (std::size_t count = random.below(12); count > 0; --count) {
    const helm::StoredRelease object = random_object(random);
    const std::string data = random_data(random, object);
    const auto plain = from_base64(data);
    for (std::size_t times = random.below(8) == 0 ? 2 : 1; times > 0; --times) {
      collector.add(object, data);
      given.stored.insert(
          object.kind == helm::StorageKind::secret && plain ? std::string(as_text(*plain)) : data);
      ++given.objects;
    }
  }
  return given;
}

void check_read(const helm::Payload& payload, const Given& given) {
  const auto entries = archive::read_tar_gz(payload.tar_gz.view(), helm::k_archive_limits);
  REQUIRE_MESSAGE(entries.has_value(), entries.error().message);
  const auto contents = helm::check_contents(*entries);
  REQUIRE_MESSAGE(contents.has_value(), contents.error().message);
  REQUIRE_MESSAGE(contents->odd.empty(), contents->odd.front());
  const helm::Index& index = contents->index;
  REQUIRE(index.releases.size() + index.undecodable_total() == given.objects);
  REQUIRE(payload.status.releases == static_cast<std::int64_t>(index.releases.size()));
  std::map<std::string, std::string> files;
  for (const archive::Entry& entry : *entries) {
    files[entry.path] = entry.content.text();
  }
  for (const helm::IndexedObject& object : index.undecodable) {
    REQUIRE((object.file.empty() || given.stored.contains(files.at(object.file))));
  }
}

} // namespace

TEST_CASE_FIXTURE(test::SetOfSecrets, "no release Secret makes a set that is called damaged") {
  Random random = Random::seeded();
  CAPTURE(random.seed());
  for (int round = 0; round < 600; ++round) {
    CAPTURE(round);
    helm::Collector collector(random.below(3) == 0 ? helm::Budget{random.below(30'000)}
                                                   : helm::Budget{});
    const Given given = fill(random, collector);
    auto payload = helm::build_payload(std::move(collector).take(), {});
    REQUIRE_MESSAGE(payload.has_value(), payload.error().message);
    check_read(*payload, given);
    if (round % 12 == 0) {
      put(*payload);
      check_usable();
      const auto verified = run({"verify", "-i", keys()});
      INFO(verified.out);
      REQUIRE(verified.out.find("odd: ") == std::string::npos);
    }
  }
}
