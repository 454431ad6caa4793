#include "recover/checks.hpp"
#include "restore/failure.hpp"
#include "restore/restore_cluster.hpp"
#include "restore/text.hpp"

namespace rb::restore {

std::optional<int> refused_by_signature(const Catalogue& catalogue,
                                        const std::string& run_id,
                                        const RestoreCommand& command,
                                        const Io& io) {
  recover::SetFacts facts;
  facts.run_id = run_id;
  facts.signature = fact_of(catalogue, run_id);
  recover::Wishes wishes;
  wishes.allow_unsigned = command.allow_unsigned;
  const recover::Check check = recover::signature_check(facts, wishes);
  switch (check.verdict) {
  case recover::Verdict::ok:
    return std::nullopt;
  case recover::Verdict::warn:
    warn(io,
         "signature: " + harmless(check.message) + (check.hint.empty() ? "" : "; " + check.hint));
    return std::nullopt;
  case recover::Verdict::refuse:
    return fail(
        io, {ErrorCode::corrupt, "refused: " + harmless(check.message), check.hint}, check.code);
  }
  return std::nullopt;
}

} // namespace rb::restore
