#include "restore/cluster/checks.hpp"

namespace rb::cluster {

using set::Provenance;

namespace {

constexpr const char* k_trust_hint =
    "name the host's public key with --public-key (the kit has railiance-backup.pub, "
    "`railiance-backup show` prints it, and you may have written it down); --allow-unsigned takes "
    "the set on trust: whoever can write to the directory can have made it";

constexpr const char* k_tampering_hint =
    "choose another set (`railiance-restore list`), or another copy of this one; --allow-unsigned "
    "takes it all the same";

/// This set is what the host made; another one is missing, which is said and harms nothing.
Check gap_before(const SignatureFact& fact) {
  return {"signature",
          Verdict::warn,
          fact.provenance.message + "; this set itself is signed by " + fact.provenance.key_id +
              (fact.first_use ? " (first use of the key " + fact.key + ")" : ""),
          "nothing to do when you removed or did not fetch that set yourself"};
}

} // namespace

Check signature_check(const SetFacts& set, const Wishes& wishes) {
  const SignatureFact& fact = *set.signature;
  const Provenance verdict = fact.provenance.verdict;
  if (verdict == Provenance::removed_before) {
    return gap_before(fact);
  }
  if (verdict == Provenance::genuine && !fact.first_use) {
    return {"signature",
            Verdict::ok,
            "made by the host whose key is known here (" + fact.provenance.key_id + ")",
            {}};
  }
  if (verdict == Provenance::genuine) {
    return {"signature",
            Verdict::warn,
            "FIRST USE of the key " + fact.key +
                ": it comes from the backup directory itself, and who can write there can have put "
                "both there",
            "compare it with the one that you wrote down, or say it with --public-key"};
  }
  const std::string message =
      set.run_id + ": " +
      (fact.provenance.message.empty() ? std::string(set::to_string(verdict))
                                       : fact.provenance.message);
  if (wishes.allow_unsigned) {
    return {"signature", Verdict::warn, message + " (--allow-unsigned)", {}};
  }
  const bool tampering = set::is_tampering(verdict);
  return {"signature",
          Verdict::refuse,
          message,
          tampering && verdict != Provenance::other_key ? k_tampering_hint : k_trust_hint,
          tampering ? ExitCode::damaged : ExitCode::failed};
}

} // namespace rb::cluster
