// The Helm part of a run, without the API: N stored releases of realistic size, as the API shows
// them, are selected, decoded and made into the artifact. Prints JSON.
//   bench_helm [RELEASES [ROUNDS [CHART_BYTES]]]
#include "support/random.hpp"

#include "archive/gzip.hpp"
#include "helm/artifact.hpp"

#include <nlohmann/json.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>

using namespace rb;

namespace {

constexpr SystemTime k_time{std::chrono::seconds(1'795'348'336)};

/// Text that compresses about as well as YAML templates do (4 to 5 times).
std::string template_text(test::Random& random, std::size_t size) {
  static constexpr const char* k_words[] = {"apiVersion: apps/v1\n",
                                            "kind: Deployment\n",
                                            "  name: {{ include \"app.fullname\" . }}\n",
                                            "    {{- toYaml . | nindent 8 }}\n",
                                            "metadata:\n",
                                            "  labels:\n",
                                            "    {{- if .Values.enabled }}\n",
                                            "spec:\n",
                                            "        - containerPort: "};
  std::string text;
  while (text.size() < size) {
    text += k_words[random.below(std::size(k_words))];
    if (random.below(3) == 0) {
      text += "      value-" + std::to_string(random.next() % 1'000'000) + "\n";
    }
  }
  return text;
}

nlohmann::json make_record(test::Random& random, int number, std::size_t chart_bytes) {
  nlohmann::json templates = nlohmann::json::array();
  for (std::size_t size = 0; size < chart_bytes; size += 3000) {
    templates.push_back({{"name", "templates/" + std::to_string(size) + ".yaml"},
                         {"data", to_base64(as_bytes(template_text(random, 3000)))}});
  }
  nlohmann::json config{{"image", {{"repository", "registry.example.com/web"}, {"tag", "1.25.0"}}},
                        {"script", template_text(random, 600)}};
  for (int i = 0; i < 40; ++i) {
    config["settings"]["key" + std::to_string(i)] = {{"enabled", i % 2 == 0},
                                                     {"value", random.next() % 1'000'000}};
  }
  return {{"name", "release-" + std::to_string(number)},
          {"info",
           {{"first_deployed", "2026-01-02T03:04:05.678Z"},
            {"last_deployed", "2026-01-02T03:04:05.678Z"},
            {"deleted", ""},
            {"status", "deployed"}}},
          {"chart",
           {{"metadata", {{"name", "web"}, {"version", "1.2.3"}, {"appVersion", "4"}}},
            {"templates", templates},
            {"values", config}}},
          {"config", config},
          {"manifest", template_text(random, chart_bytes / 2)},
          {"version", 1},
          {"namespace", "namespace-" + std::to_string(number % 20)}};
}

struct Stored {
  helm::StoredRelease object;
  std::string api_data;
};

std::vector<Stored> make_stored(int releases, std::size_t chart_bytes, std::size_t& json_bytes) {
  test::Random random(1);
  std::vector<Stored> stored;
  for (int i = 0; i < releases; ++i) {
    const nlohmann::json record = make_record(random, i, chart_bytes);
    const std::string json = record.dump();
    json_bytes += json.size();
    const std::string name = record["name"];
    stored.push_back({{.name_space = record["namespace"],
                       .object_name = "sh.helm.release.v1." + name + ".v1",
                       .labels = {{"name", name}, {"owner", "helm"}, {"version", "1"}}},
                      to_base64(as_bytes(to_base64(archive::gzip(as_bytes(json))->view())))});
  }
  return stored;
}

struct Round {
  double decode_seconds = 0;
  double payload_seconds = 0;
  double cpu_seconds = 0;
  std::size_t payload_bytes = 0;
};

Round run_round(const std::vector<Stored>& stored) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const std::clock_t cpu_start = std::clock();
  std::vector<helm::StoredRelease> objects;
  for (const Stored& item : stored) {
    objects.push_back(item.object);
  }
  if (helm::newest_revisions(std::move(objects)).size() != stored.size()) {
    std::abort();
  }
  std::vector<helm::Release> releases;
  for (const Stored& item : stored) {
    releases.push_back(helm::decode_release(item.object, item.api_data).value());
  }
  const auto decoded = Clock::now();
  const auto payload = helm::build_payload({std::move(releases), {}}, k_time);
  const auto end = Clock::now();
  if (!payload || payload->status.releases != static_cast<std::int64_t>(stored.size())) {
    std::abort();
  }
  return {std::chrono::duration<double>(decoded - start).count(),
          std::chrono::duration<double>(end - decoded).count(),
          static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC,
          payload->tar_gz.size()};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

long peak_memory_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

} // namespace

int main(int argc, char** argv) {
  const int releases = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  const std::size_t chart_bytes = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 30'000;
  std::size_t json_bytes = 0;
  const std::vector<Stored> stored = make_stored(releases, chart_bytes, json_bytes);
  std::size_t api_bytes = 0;
  for (const Stored& item : stored) {
    api_bytes += item.api_data.size();
  }
  const long memory_before_kib = peak_memory_kib();
  std::vector<double> decode;
  std::vector<double> payload;
  std::vector<double> total;
  std::vector<double> cpu;
  Round last;
  for (int i = 0; i < rounds; ++i) {
    last = run_round(stored);
    decode.push_back(last.decode_seconds);
    payload.push_back(last.payload_seconds);
    cpu.push_back(last.cpu_seconds);
    total.push_back(last.decode_seconds + last.payload_seconds);
  }
  const nlohmann::ordered_json report{{"bench", "helm"},
                                      {"releases", releases},
                                      {"rounds", rounds},
                                      {"stored_bytes", api_bytes},
                                      {"json_bytes", json_bytes},
                                      {"payload_bytes", last.payload_bytes},
                                      {"decode_seconds", median(decode)},
                                      {"payload_seconds", median(payload)},
                                      {"total_seconds", median(total)},
                                      {"cpu_seconds", median(cpu)},
                                      {"added_memory_kib", peak_memory_kib() - memory_before_kib}};
  std::cout << report.dump(2) << "\n";
  return 0;
}
