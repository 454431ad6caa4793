// An API server that answers what a test lays down.
#pragma once

#include "objects/local_api.hpp"

#include <array>
#include <map>
#include <string>
#include <vector>

namespace rb::test {

/// Answers by path; what is not there is 404. A path may have several answers, one after another;
/// the last one stays.
class FakeApi final : public objects::ApiPort {
public:
  Result<objects::ApiAnswer> get(const std::string& path, const std::string& accept) override {
    asked.push_back(path);
    accepts.push_back(accept);
    const auto found = answers.find(path);
    if (found == answers.end() || found->second.empty()) {
      return objects::ApiAnswer{404, R"({"kind":"Status","message":"not found"})"};
    }
    const objects::ApiAnswer answer = found->second.front();
    if (found->second.size() > 1) {
      found->second.erase(found->second.begin());
    }
    return answer;
  }

  void on(const std::string& path, const std::string& body, int status = 200) {
    answers[path].push_back({status, body});
  }

  std::map<std::string, std::vector<objects::ApiAnswer>> answers;
  std::vector<std::string> asked;
  std::vector<std::string> accepts;
};

/// Discovery of a small cluster: ConfigMaps, nodes, Deployments, and the custom resource
/// `widgets.example.com`; `metrics.k8s.io` is somebody else's.
void serve_discovery(FakeApi& api, bool with_widgets = true);

/// A list of metadata, as the API server writes it. Each: namespace, name, uid, resourceVersion.
std::string metadata_list(const std::vector<std::array<std::string, 4>>& objects,
                          const std::string& more = {});

} // namespace rb::test
