#include "restore/cluster/checks.hpp"
#include "restore/io.hpp"
#include "restore/restore_cluster.hpp"
#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

namespace rb::restore {

std::optional<int> refused_by_signature(const Catalogue& catalogue,
                                        const std::string& run_id,
                                        const RestoreCommand& command,
                                        const Io& io) {
  cluster::SetFacts facts;
  facts.run_id = run_id;
  facts.signature = fact_of(catalogue, run_id);
  cluster::Wishes wishes;
  wishes.allow_unsigned = command.allow_unsigned;
  const cluster::Check check = cluster::signature_check(facts, wishes);
  switch (check.verdict) {
  case cluster::Verdict::ok:
    return std::nullopt;
  case cluster::Verdict::warn:
    warn(io,
         "signature: " + terminal_text(check.message) +
             (check.hint.empty() ? "" : "; " + check.hint));
    return std::nullopt;
  case cluster::Verdict::refuse:
    return fail(io,
                {ErrorCode::corrupt, "refused: " + terminal_text(check.message), check.hint},
                check.code);
  }
  return std::nullopt;
}

} // namespace rb::restore
