#include "agent/kubeconfig_source.hpp"

#include "base/open_beneath.hpp"

namespace rb::agent {

namespace {

constexpr std::size_t k_limit_bytes = std::size_t{4} << 20U;

Failure missing(std::string message, std::string hint) {
  return {api::Reason::kubeconfig_missing, std::move(message), std::move(hint)};
}

std::string list_of(const std::vector<std::string>& paths) {
  std::string list;
  for (const std::string& path : paths) {
    list.append(list.empty() ? "" : ", ").append(path);
  }
  return list;
}

} // namespace

std::variant<Kubeconfig, Failure> find_kubeconfig(const std::vector<std::string>& candidates) {
  for (const std::string& path : candidates) {
    auto content = read_regular(path, k_limit_bytes);
    if (!content && content.error().code == ErrorCode::not_found) {
      continue;
    }
    if (!content) {
      return missing(content.error().message, "let the agent read it, or name another one");
    }
    if (content->empty()) {
      return missing(path + ": the file is empty", "put the kubeconfig there, or name another one");
    }
    if (content->text().find("clusters") == std::string_view::npos) {
      return missing(path + ": not a kubeconfig: it names no clusters",
                     "put the kubeconfig there, or name another one");
    }
    return Kubeconfig{path, std::move(*content)};
  }
  return missing("no kubeconfig found: looked for " + list_of(candidates),
                 "name it with --kubeconfig-source and mount its directory");
}

} // namespace rb::agent
