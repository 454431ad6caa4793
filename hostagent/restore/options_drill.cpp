#include "restore/options_drill.hpp"

#include <CLI/CLI.hpp>

namespace rb::restore {

namespace {

constexpr const char* k_footer = R"(Examples:
  railiance-restore drill
  railiance-restore drill 20261122T020000Z -i keys.txt --output json
  railiance-restore drill --boot

Opens every artifact of the set with the key and holds it against the manifest:
digests, every page of the snapshot, its revision and keys, the key that k3s looks for
with the token of the host state, the archives and the YAML in them. No plaintext
reaches the disk. With --boot, as root, a k3s server is then booted from the set in
namespaces and a directory of its own, and every object that its API serves is held
against the snapshot; the running cluster is not touched, and all of it is removed
again. It takes half a GiB of memory for half a minute.
"latest" is the newest set from which a cluster can be restored, or a newer one that is
damaged. The outcome goes to
backup.log and .last-drill in the backup directory.
Exit codes: 3 incomplete, 4 no set, 5 no identity opens it, 6 damaged.)";

} // namespace

void add_drill(CLI::App& app, DrillCommand& command) {
  CLI::App* drill = app.add_subcommand("drill", "Prove that a set opens and is what it claims");
  drill->footer(k_footer);
  drill->add_option("SET", command.set, "Run id, or latest")->capture_default_str();
  drill
      ->add_option("-i,--identity",
                   command.identity_files,
                   "File with private age keys (default: all that SOPS finds)")
      ->allow_extra_args(false);
  drill->add_flag("--allow-unsigned",
                  command.allow_unsigned,
                  "Let a set pass that is not signed, though the host's key is known");
  drill->add_flag("--boot",
                  command.boot,
                  "Boot a scratch k3s server from the set, beside the running one (root)");
  drill->add_option("--scratch-dir",
                    command.scratch_dir,
                    "With --boot: make its directory here (default: beside k3s's data)");
  drill->add_option("--k3s", command.k3s, "With --boot: the k3s program");
  drill->add_option("--timeout", command.timeout_seconds, "With --boot: seconds for each step")
      ->capture_default_str()
      ->check(CLI::Range(10U, 86400U));
  drill->add_flag(
      "--no-record", command.no_record, "Leave backup.log and .last-drill alone (read-only media)");
}

} // namespace rb::restore
