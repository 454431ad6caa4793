// A program that watches the ConfigMaps of a namespace, as controller and agent watch theirs, and
// writes down what it is told: "have NAME", "gone NAME", "listed". Ends with its standard input.
#include "base/error.hpp"
#include "kube/connection.hpp"
#include "kube/transport.hpp"
#include "kube/watcher.hpp"

#include <iostream>

namespace {

using namespace rb;

class Diary final : public kube::WatchHandler {
public:
  void on_upsert(nlohmann::json object) override {
    std::cout << "have " << object["metadata"]["name"].get<std::string>() << std::endl;
  }
  void on_delete(const kube::ObjectId& id) override {
    std::cout << "gone " << id.name << std::endl;
  }
  void on_synced() override { std::cout << "listed" << std::endl; }
  void on_trouble(const Error& error) override { std::cerr << error.message << std::endl; }
};

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    return static_cast<int>(ExitCode::usage);
  }
  kube::initialize_http_threads();
  auto config = kube::load_kubeconfig(argv[1]);
  if (!config) {
    std::cerr << config.error().message << '\n';
    return static_cast<int>(ExitCode::failed);
  }
  auto connection = kube::Connection::make(*std::move(config));
  if (!connection) {
    std::cerr << connection.error().message << '\n';
    return static_cast<int>(ExitCode::failed);
  }
  Diary diary;
  kube::WatchOptions options;
  options.name_space = argv[2];
  const kube::Watcher watcher((*connection)->client(), kube::k_config_maps, options, diary);
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  return 0;
}
