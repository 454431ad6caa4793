// A .sops.yaml that the operator names: its text, and who can read the backups by it.
#pragma once

#include "cli/io.hpp"

#include "age/sops_yaml.hpp"
#include "base/result.hpp"

#include <string>

namespace rb::cli {

struct SopsFile {
  std::string text;
  age::RecipientRule rule;
};

/// `name` is for messages. Errors: those of read_sops_file, without the system's.
[[nodiscard]] Result<SopsFile> sops_file_of(std::string text, const std::string& name);

/// Errors: those of age::recipient_rule_of_sops_yaml, of install::check_sops_text and of the
/// system; the message names the file.
[[nodiscard]] Result<SopsFile> read_sops_file(const std::string& file);

/// "By creation rule 1 …, whoever has a private key of these can read the backups:" and the keys.
void say_who_reads(std::ostream& out, const age::RecipientRule& rule);

} // namespace rb::cli
