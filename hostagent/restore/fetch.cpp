#include "offsite/fetch.hpp"

#include "offsite/remote_fs.hpp"
#include "restore/commands.hpp"
#include "restore/failure.hpp"
#include "restore/remote.hpp"
#include "restore/text.hpp"

#include <nlohmann/json.hpp>

namespace rb::restore {

namespace {

struct Found {
  artifact::Directory listing;
  artifact::BackupSet set;
};

Result<Found>
find_remote_set(offsite::RemoteStore& store, const std::string& name, std::stop_token stop) {
  RB_TRY_ASSIGN(artifact::Directory listing, offsite::open_remote(store, std::move(stop)));
  RB_TRY_ASSIGN(const auto sets, artifact::list_sets(listing));
  // "latest" is the newest that can be used: another may be on its way there at this moment.
  const artifact::BackupSet* found = nullptr;
  for (const artifact::BackupSet& set : sets) {
    if (name == "latest" ? set.state == artifact::SetState::complete : set.run_id == name) {
      found = &set;
      break;
    }
  }
  if (found == nullptr) {
    return Error{ErrorCode::gone,
                 store.name() + ": no " +
                     (name == "latest" ? "complete set" : "set " + harmless(name)),
                 "`railiance-restore list --remote` shows what is there"};
  }
  return Found{std::move(listing), *found};
}

Result<offsite::Fetched>
fetch_into(const std::string& path, offsite::RemoteStore& store, Found& found, Io& io) {
  RB_TRY_ASSIGN(artifact::Directory to, artifact::Directory::open(path));
  RB_TRY_ASSIGN(const auto lock, artifact::DirectoryLock::acquire(to.path()));
  return offsite::fetch_set(
      to,
      store,
      found.listing,
      found.set,
      [&](const std::string& file) { io.err << "fetching " << harmless(file) << '\n'; },
      io.stop);
}

} // namespace

int fetch(const FetchCommand& command, const Options& options, Io& io) {
  const auto handle = open_store(command.remote, io);
  if (!handle) {
    return fail(io, handle.error());
  }
  offsite::RemoteStore& store = (*handle)->store;
  auto found = find_remote_set(store, command.set, io.stop);
  if (!found) {
    return found.error().code == ErrorCode::gone
               ? fail(io, found.error(), ExitCode::nothing_to_restore)
               : fail(io, found.error());
  }
  const std::string to = command.to.empty() ? options.backup_dir : command.to;
  const auto fetched = fetch_into(to, store, *found, io);
  if (!fetched) {
    return fail(io, fetched.error());
  }
  if (options.output == OutputFormat::json) {
    const nlohmann::ordered_json json{{"runID", found->set.run_id},
                                      {"remote", store.name()},
                                      {"directory", to},
                                      {"files", fetched->files},
                                      {"alreadyThere", fetched->present}};
    io.out << json.dump(2) << '\n';
  } else {
    io.out << "set " << found->set.run_id << ": " << fetched->files.size() << " files in " << to
           << ", each with the size and the SHA-256 of the manifest\n";
  }
  return static_cast<int>(found->set.state == artifact::SetState::complete ? ExitCode::done
                                                                           : ExitCode::incomplete);
}

} // namespace rb::restore
