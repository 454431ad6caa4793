#include "restore/options_drill.hpp"

#include <CLI/CLI.hpp>

namespace rb::restore {

namespace {

constexpr const char* k_footer = R"(Examples:
  railiance-restore drill
  railiance-restore drill 20261122T020000Z -i keys.txt --output json

Opens every artifact of the set with the key and holds it against the manifest:
digests, every page of the snapshot, its revision and keys, the key that k3s looks for
with the token of the host state, the archives and the YAML in them. No plaintext
reaches the disk. "latest" is the newest set that claims to be complete.
The outcome goes to backup.log and .last-drill in the backup directory.
Exit codes: 3 incomplete, 4 no set, 5 no identity opens it, 6 damaged.)";

} // namespace

void add_drill(CLI::App& app, DrillCommand& command) {
  CLI::App* drill = app.add_subcommand("drill", "Prove that a set opens and is what it claims");
  drill->footer(k_footer);
  drill->add_option("SET", command.set, "Run id, or latest")->capture_default_str();
  drill
      ->add_option("-i,--identity",
                   command.identity_files,
                   "File with private age keys (default: where SOPS keeps them)")
      ->allow_extra_args(false);
  drill->add_flag(
      "--no-record", command.no_record, "Leave backup.log and .last-drill alone (read-only media)");
}

} // namespace rb::restore
