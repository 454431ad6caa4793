// One operation of the agent on a host that a test has laid out, as a process of its own, so that
// it can be killed, starved and lied to. Arguments: SCRATCH OPERATION RUN_ID. Exit code 0 when the
// operation says that it succeeded. getppid(2) is called right before it begins.
#include "agent/run/backup_run.hpp"
#include "agent/run/leftovers.hpp"
#include "fault/host_paths.hpp"
#include "set/retention.hpp"
#include "set/rewrap.hpp"
#include "set/sets.hpp"
#include "sign/signing_key.hpp"

#include "age/identity.hpp"
#include "base/digest.hpp"
#include "base/fd.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace {

using namespace rb;

constexpr int k_keep_last = 2;
constexpr std::size_t k_payload_limit = 1U << 20U;

agent::RunOrder order_of(const std::string& run_id, std::span<const api::ArtifactType> types) {
  agent::RunOrder order;
  order.run_id = run_id;
  order.cluster_backup_uid = "uid-of-" + run_id;
  order.artifacts.assign(types.begin(), types.end());
  order.keep_last = k_keep_last;
  return order;
}

int backup(const agent::Settings& settings, agent::RunOrder order, const std::string& root) {
  const auto payload = read_text_file(root + "/payload", k_payload_limit);
  if (!payload) {
    return 2;
  }
  order.helm_payload =
      api::HelmPayload{{"p-0"}, payload->size(), to_hex(sha256(as_bytes(*payload)))};
  order.helm = api::HelmStatus{1, {}, 0};
  test::SetClock clock;
  clock.time = parse_run_id(order.run_id).value();
  RealProcessRunner processes;
  RealWaiter waiter;
  const auto fetch = [&payload](const auto&, const auto&) -> Result<Bytes> {
    const ByteView view = as_bytes(*payload);
    return Bytes(view.begin(), view.end());
  };
  const agent::RunControl control;
  ::getppid();
  const auto report =
      agent::run_backup(settings, order, {processes, clock, waiter, fetch}, control);
  std::fprintf(stderr, "%s\n", report.message.c_str());
  return report.succeeded() ? 0 : 1;
}

int done(const Status& status) {
  if (!status) {
    std::fprintf(stderr, "%s\n", status.error().message.c_str());
  }
  return status ? 0 : 1;
}

/// Keeps the newest set alone.
Status prune(const agent::Settings& settings, const std::string& run_id) {
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open(settings.backup_dir));
  RB_TRY_ASSIGN(const auto lock, set::DirectoryLock::acquire(directory.path()));
  RB_TRY_ASSIGN(const auto sets, set::list_sets(directory));
  const auto plan =
      set::select_for_removal(sets, {1, {}, std::nullopt}, parse_run_id(run_id).value());
  const set::Pruned pruned = set::prune(directory, plan);
  return pruned.left.empty() ? Status() : Status(pruned.left.front().why);
}

Status sweep(const agent::Settings& settings, const std::string& run_id) {
  test::SetClock clock;
  clock.time = parse_run_id(run_id).value();
  RealProcessRunner processes;
  RB_TRY(agent::sweep_host(settings, processes, clock, set::Directory::open));
  return {};
}

/// Gives the newest set another recipient besides the one that it has.
Status rewrap(const agent::Settings& settings, const std::string& root, const std::string& run_id) {
  RB_TRY_ASSIGN(const std::string text,
                read_text_file(root + "/keys.txt", age::k_identity_file_limit_bytes));
  RB_TRY_ASSIGN(const age::IdentityFile keys, age::parse_identity_file(text));
  RB_TRY_ASSIGN(const age::Identity more, age::Identity::generate());
  const set::RewrapOrder order{
      {keys.identities.front().recipient(), more.recipient()}, "a rule", false};
  RB_TRY_ASSIGN(const sign::SigningKey key, sign::read_key_file(settings.key_dir + "/signing.key"));
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open_existing(settings.backup_dir));
  RB_TRY_ASSIGN(const auto lock, set::DirectoryLock::acquire(directory.path()));
  RB_TRY(set::sweep_leftovers(directory));
  RB_TRY(set::finish_rewraps(directory, key));
  RB_TRY_ASSIGN(const auto sets, set::list_sets(directory));
  RB_TRY_ASSIGN(
      const set::Rewrapped done,
      set::rewrap_set(
          directory, sets.front(), keys.identities, order, key, parse_run_id(run_id).value()));
  return done.unfinished ? Status(*done.unfinished) : Status();
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 4 || !parse_run_id(argv[3])) {
    return 2;
  }
  const std::string root = argv[1];
  const std::string operation = argv[2];
  const std::string run_id = argv[3];
  agent::Settings settings = test::host_settings(root);
  settings.kit_program = root + "/tool";
  settings.encryption_threads = 2;
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  if (operation == "backup") {
    return backup(settings, order_of(run_id, api::k_all_artifacts), root);
  }
  if (operation == "backup-small") {
    constexpr api::ArtifactType k_small[] = {api::ArtifactType::helm_values,
                                             api::ArtifactType::kubeconfig};
    return backup(settings, order_of(run_id, k_small), root);
  }
  ::getppid();
  return operation == "prune"    ? done(prune(settings, run_id))
         : operation == "sweep"  ? done(sweep(settings, run_id))
         : operation == "rewrap" ? done(rewrap(settings, root, run_id))
                                 : 2;
}
