#include "cli/presence.hpp"

#include "kube/resource.hpp"

namespace rb::cli {

namespace {

constexpr std::chrono::seconds k_fresh{30}; ///< Twice the time after which another may take it.
constexpr std::chrono::seconds k_between_looks{5};

Result<kube::LeaseRecord> read_lease(Api& api, const Io& io) {
  RB_TRY_ASSIGN(
      const nlohmann::json object,
      api.client().get({kube::k_leases, "railiance-backup", "railiance-backup-controller", ""},
                       io.stop));
  return kube::lease_from_json(object);
}

} // namespace

std::optional<Presence> judge_lease(const Result<kube::LeaseRecord>& seen, SystemTime now) {
  if (!seen) {
    return Presence::unknown;
  }
  if (seen->holder.empty()) {
    return Presence::released;
  }
  // Fractions of a second are of no interest here.
  const auto renewed = parse_rfc3339(seen->renew_time.substr(0, 19) + "Z");
  const bool fresh = renewed && now - *renewed <= k_fresh && *renewed - now <= k_fresh;
  return fresh ? std::optional(Presence::there) : std::nullopt;
}

Presence judge_lease(const kube::LeaseRecord& before, const Result<kube::LeaseRecord>& after) {
  if (!after) {
    return Presence::unknown;
  }
  if (after->holder.empty()) {
    return Presence::released;
  }
  return *after == before ? Presence::silent : Presence::there;
}

std::string describe(Presence presence) {
  switch (presence) {
  case Presence::unknown:
  case Presence::there:
    return {};
  case Presence::released:
    return "no controller runs in the cluster: the last one ended, and no other came";
  case Presence::silent:
    return "no controller runs in the cluster: the last one does not renew its Lease";
  }
  return {};
}

Presence look_for_controller(Api& api, const Io& io) {
  const auto first = read_lease(api, io);
  if (const auto presence = judge_lease(first, io.clock.now())) {
    return *presence;
  }
  RealWaiter().wait(k_between_looks, io.stop);
  return io.stop.stop_requested() ? Presence::unknown : judge_lease(*first, read_lease(api, io));
}

} // namespace rb::cli
