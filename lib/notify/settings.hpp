// Who is told, from the command line: the same flags for every program that tells somebody. No
// secret is among them: addresses and token are files of a directory.
#pragma once

#include "notify/delivery.hpp"

#include <memory>
#include <string>

namespace CLI {
class App;
} // namespace CLI

namespace rb::notify {

struct Settings {
  bool dead_man = false;
  bool webhook = false;
  bool allow_http = false;
  bool successes = false; ///< The webhook is told of each success, too.
  DeadManFormat dead_man_format = DeadManFormat::healthchecks;
  WebhookFormat format = WebhookFormat::json;
  std::string body_template;
  std::string secret_dir = "/etc/railiance-backup-notify";
  std::string ca_file = "/railiance-backup/share/ca-certificates.crt"; ///< In the image.
  std::string cluster_name;
};

/// --notify-… and --cluster-name. `settings` outlives the parsing.
void add_options(CLI::App& app, Settings& settings);

[[nodiscard]] std::unique_ptr<Delivery> make_dead_man(const Settings& settings);
[[nodiscard]] std::unique_ptr<Delivery> make_webhook(const Settings& settings);

} // namespace rb::notify
