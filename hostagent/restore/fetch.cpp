#include "offsite/copy_set.hpp"
#include "offsite/remote_store.hpp"
#include "restore/backups.hpp"
#include "restore/commands.hpp"
#include "restore/set_output.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include <nlohmann/json.hpp>

#include <optional>

namespace rb::restore {

namespace {

/// The set that is meant, and what is known of it.
struct Found {
  Backups backups; ///< Over there.
  set::Latest latest;

  [[nodiscard]] const set::BackupSet& set() const { return *latest.set; }
};

Result<Found> find_remote_set(offsite::RemoteStore& store,
                              const std::string& name,
                              const Options& options,
                              const Io& io) {
  const bool latest = name == "latest";
  offsite::RemoteWish wish;
  if (!latest) {
    wish.run_ids.insert(name);
  }
  RB_TRY_ASSIGN(offsite::RemoteListing listing, offsite::read_remote(store, wish, io.stop));
  if (latest) {
    warn_of_left_out(listing.left_out, io);
  }
  RB_TRY_ASSIGN(Backups backups,
                read_backups(std::move(listing.directory), options, read_pins({}, io), io));
  set::Latest found = latest ? set::choose_latest(backups.sets) : find_set(backups.sets, name);
  say_passed_over(found, io);
  if (found.set == nullptr) {
    return Error{
        ErrorCode::gone,
        store.name() + ": no " +
            (latest ? "set from which a cluster can be restored" : "set " + terminal_text(name)),
        "`railiance-restore list --remote` shows what is there"};
  }
  return Found{std::move(backups), std::move(found)};
}

/// What a known key does not vouch for does not come onto this disk unasked. A set after a gap is
/// genuine.
std::optional<Error> refusal(const Found& found, const FetchCommand& command) {
  const set::SetProvenance made = found.backups.catalogue.of(found.set().run_id);
  if (command.allow_unsigned || !set::is_tampering(made.verdict)) {
    return std::nullopt;
  }
  return Error{
      ErrorCode::corrupt,
      "refused: " + found.set().run_id + ": " + terminal_text(made.message),
      "choose another set (`railiance-restore list --remote`); --allow-unsigned fetches it "
      "all the same"};
}

Result<offsite::Fetched>
fetch_into(const std::string& path, offsite::RemoteStore& store, Found& found, Io& io) {
  RB_TRY_ASSIGN(set::Directory to, set::Directory::open(path));
  RB_TRY_ASSIGN(const auto lock, set::DirectoryLock::acquire(to.path()));
  return offsite::fetch_set(
      to,
      store,
      found.backups.directory,
      found.set(),
      [&](const std::string& file) { io.err << "fetching " << terminal_text(file) << '\n'; },
      io.stop);
}

} // namespace

int carry_out(const FetchCommand& command, const Options& options, Io& io) {
  const auto handle = open_store(command.remote, io);
  if (!handle) {
    return fail(io, handle.error());
  }
  offsite::RemoteStore& store = (*handle)->store;
  auto found = find_remote_set(store, command.set, options, io);
  if (!found) {
    return found.error().code == ErrorCode::gone
               ? fail(io, found.error(), ExitCode::nothing_to_restore)
               : fail(io, found.error());
  }
  const set::BackupSet& set = found->set();
  if (!set::is_good(set) && set.state == set::SetState::complete) {
    warn(io, "set " + set.run_id + " was to be proven, and is not");
  }
  if (const auto refused = refusal(*found, command)) {
    return fail(io, *refused, ExitCode::damaged);
  }
  warn_of_first_use(found->backups.catalogue, io);
  const std::string to = command.to.empty() ? options.backup_dir : command.to;
  const auto fetched = fetch_into(to, store, *found, io);
  if (!fetched) {
    return fail(io, fetched.error());
  }
  if (fetched->no_image) {
    warn(io,
         "the image of railiance-backup did not come along: " + fetched->no_image->message +
             "; the set is whole without it");
  }
  if (options.output == OutputFormat::json) {
    nlohmann::ordered_json json{{"runID", set.run_id},
                                {"remote", store.name()},
                                {"directory", to},
                                {"files", fetched->files},
                                {"alreadyThere", fetched->present},
                                {"passedOver", passed_over_to_json(found->latest)}};
    io.out << dump(json);
  } else {
    io.out << "set " << set.run_id << ": " << fetched->files.size() << " files in " << to
           << ", each with the size and the SHA-256 of the manifest\n";
  }
  return static_cast<int>(set.state == set::SetState::complete ? ExitCode::done
                                                               : ExitCode::incomplete);
}

} // namespace rb::restore
