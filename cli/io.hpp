// What a command of railiance-backup touches of the world, so that tests run whole commands in
// their own process.
#pragma once

#include "cli/install/server.hpp"
#include "terminal/program_io.hpp"

#include "base/port.hpp"
#include "base/process.hpp"
#include "base/result.hpp"
#include "kube/client.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rb::cli {

/// A connection to one API server. Its client may be shared between threads.
class Api : public Port {
public:
  [[nodiscard]] virtual kube::Client& client() = 0;
  /// "https://HOST:PORT", for messages.
  [[nodiscard]] virtual const std::string& server() const = 0;
};

/// Which cluster the operator means; both empty: the default search (connect.hpp).
struct ClusterChoice {
  std::string kubeconfig;
  std::string context;
};

using Connect = std::function<Result<std::unique_ptr<Api>>(const ClusterChoice&)>;

struct Io : ProgramIo {
  Connect connect = {};
  std::function<std::string()> random_id = {}; ///< 32 hex digits, never the same twice.
  std::function<int()> stop_signal = {};       ///< The signal behind `stop`.
  bool out_colour = false;                     ///< `out` is a terminal, and nobody said NO_COLOR.
  unsigned terminal_width = 80;                ///< Columns, where err is a terminal.

  // Of install and uninstall only.
  std::function<install::HostFacts(const std::string& k3s_program)> look_at_host = {};
  std::vector<std::string> package_places = {};
  ProcessRunner* processes = nullptr;
  Waiter* waiter = nullptr;
};

} // namespace rb::cli
