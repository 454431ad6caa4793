// Reads what k3s prints: which of its lines say why something failed, and which snapshots it says
// it saved. The one place that knows its noise; the agent, the scratch server and the restore all
// quote through it.
#pragma once

#include "base/process.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

inline constexpr std::size_t k_words_limit_bytes = 300;

/// A line that k3s prints in good runs, too: warnings about flags of config.yaml that a subcommand
/// does not know (one each, before the line that matters), and what it repeats while it starts.
[[nodiscard]] bool is_noise(std::string_view line);

/// The message of the line that says best how it ended, in this order: the last fatal one (the end
/// of a server counts: "Shutdown request received", which k3s writes as an error), the last error,
/// and of an output that is no log, the last line. Noise, warnings and less are no reason. Without
/// its logging frame, without secrets, at most 300 bytes, harmless on a terminal. Empty when there
/// is none.
[[nodiscard]] std::string last_words(std::string_view output);

/// Of a server that goes on trying, why its datastore is not ready yet, as it said last ("Failed to
/// test etcd connection: …", which k3s writes as a mere information). As last_words(); empty where
/// it did not say so.
[[nodiscard]] std::string last_attempt(std::string_view output);

/// What a log says from the last start of a server on ("Starting k3s"); all of it where that is not
/// in it.
[[nodiscard]] std::string_view since_last_start(std::string_view log);

/// `text` with what looks like a server token (K10…::user:password), a password in a URL, or a
/// private age key replaced by "[removed]".
[[nodiscard]] std::string without_secrets(std::string_view text);

/// The names of the snapshots that `output` reports as saved, each once, in order. Both forms of
/// logrus are read (`level=info msg="Snapshot X saved."` and `INFO[0000] Snapshot X saved.`), and
/// the zap JSON of releases up to 1.29.3 (`"msg":"saved","path":"/dir/X"`).
[[nodiscard]] std::vector<std::string> saved_names(std::string_view output);

/// The same of stderr, or else of stdout.
[[nodiscard]] std::string last_words(const ProcessResult& result);

/// "exit status 1", "ended by signal 9"
[[nodiscard]] std::string how_it_ended(const ProcessResult& result);

/// A part of a message of k3s, what it means, and what to do about it.
template <typename Meaning> struct KnownMessage {
  std::string_view part;
  Meaning meaning;
  std::string_view hint;
};

/// The first row whose part is in `text`, or null.
template <typename Messages>
[[nodiscard]] const typename Messages::value_type* find_known(const Messages& messages,
                                                              std::string_view text) {
  for (const auto& message : messages) {
    if (text.find(message.part) != std::string_view::npos) {
      return &message;
    }
  }
  return nullptr;
}

} // namespace rb::k3s
