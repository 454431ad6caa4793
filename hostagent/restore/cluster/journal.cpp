#include "restore/cluster/journal.hpp"

#include "restore/cluster/file_changes.hpp"

#include "base/fd.hpp"
#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace rb::cluster {

namespace {

constexpr const char* k_schema = "railiance.io/restore-journal/v1";
constexpr std::size_t k_limit_bytes = std::size_t{8} << 20U;

Error unknown(const char* what) {
  return {ErrorCode::corrupt, what, {}};
}

/// A step that nobody knows makes the whole journal corrupt: it is never half believed.
void step_fields(JsonFields& json, std::string_view key, std::vector<Step>& steps) {
  std::vector<std::string> names;
  for (const Step step : steps) {
    names.emplace_back(word_of(step));
  }
  json.required(key, names);
  if (!json.reading()) {
    return;
  }
  steps.clear();
  for (const std::string& name : names) {
    if (const auto step = from_word<Step>(name)) {
      steps.push_back(*step);
    } else {
      json.fail(unknown("step"));
    }
  }
}

/// Absent of etcd, and in journals of before.
void datastore_field(JsonFields& json, api::DatastoreKind& kind) {
  std::string word(kind == api::DatastoreKind::etcd ? std::string_view() : word_of(kind));
  json.optional("datastore", word);
  if (!json.reading() || word.empty()) {
    return;
  }
  if (const auto known = from_word<api::DatastoreKind>(word)) {
    kind = *known;
  } else {
    json.fail(unknown("datastore"));
  }
}

} // namespace

void fields(JsonFields& json, PutBackFile& file) {
  json.required("path", file.path);
  json.required("existed", file.existed);
}

void fields(JsonFields& json, Replacement& replacement) {
  bool interface = replacement.kind == ReplacementKind::interface;
  json.required("interface", interface);
  replacement.kind = interface ? ReplacementKind::interface : ReplacementKind::address;
  json.required("from", replacement.from);
  json.required("to", replacement.to);
}

void fields(JsonFields& json, Joining& joining) {
  json.required("server", joining.server);
  json.required("apiURL", joining.api_url);
  json.required("supervisorURL", joining.supervisor_url);
  json.required("servers", joining.servers);
  json.required("dropIn", joining.drop_in);
  json.required("dropInText", joining.drop_in_text);
  json.optional("shared", joining.shared);
}

void fields(JsonFields& json, Plan& plan) {
  json.required("runID", plan.run_id);
  json.required("dataDir", plan.data_dir);
  json.required("k3s", plan.k3s_program);
  json.required("kubeconfig", plan.kubeconfig);
  json.required("bare", plan.bare);
  json.required("wasActive", plan.was_active);
  datastore_field(json, plan.datastore);
  json.always("keepConfig", plan.keep_config); // absent in journals of before
  json.always("replacements", plan.replacements);
  json.required("carried", plan.carried);
  json.always("credentials", plan.credentials); // absent in journals of before
  step_fields(json, "steps", plan.steps);
  json.optional("joining", plan.joining);
}

/// The order is that of the file.
void fields(JsonFields& json, JournalState& state) {
  std::string schema = k_schema;
  json.required("schema", schema);
  if (schema != k_schema) {
    json.fail(unknown("schema"));
  }
  json.required("phase", state.phase);
  json.required("backupDir", state.backup_dir);
  json.required("started", state.started);
  json.required("plan", state.plan);
  step_fields(json, "completed", state.completed);
  std::vector<Step> current(state.current ? 1 : 0, state.current.value_or(Step::decrypt));
  step_fields(json, "current", current);
  state.current = current.empty() ? std::nullopt : std::optional(current.front());
  json.required("failure", state.failure);
  json.required("recorded", state.recorded);
  json.required("hadEtcd", state.had_database); // its name of before there was another kind
  json.required("oldDatabases", state.old_databases);
  json.always("original", state.original); // absent in journals of before
  json.always("stateAside", state.state_aside);
  json.required("saved", state.saved);
  json.always("savedDir", state.saved_dir); // as are these two
  json.always("made", state.made);
  json.required("files", state.files);
  json.optional("before", state.before);
  std::optional<JournalState> earlier;
  if (!state.earlier.empty()) {
    earlier = std::move(state.earlier.front());
  }
  json.optional("earlier", earlier);
  state.earlier.clear();
  if (earlier) {
    state.earlier.push_back(std::move(*earlier));
  }
  if (state.saved_dir.empty() || state.saved_dir.find_first_of("/.") != std::string::npos) {
    json.fail(unknown("savedDir"));
  }
}

std::span<const Word<Phase>> words_of(Phase) {
  static constexpr std::array<Word<Phase>, 4> k_words{{{Phase::restoring, "restoring"},
                                                       {Phase::done, "done"},
                                                       {Phase::rolling_back, "rolling-back"},
                                                       {Phase::rolled_back, "rolled-back"}}};
  return k_words;
}

bool JournalState::is_complete(Step step) const {
  return std::find(completed.begin(), completed.end(), step) != completed.end();
}

std::string serialize(const JournalState& state) {
  using Json = nlohmann::ordered_json;
  return to_json_fields(state).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<JournalState> parse_journal(std::string_view text) {
  if (auto state = from_json_fields<JournalState>(json_of(text))) {
    return state;
  }
  return Error{ErrorCode::corrupt,
               "the journal of the restore cannot be read",
               "look at it; move it away to begin anew"};
}

Result<std::optional<JournalState>> Journal::load() const {
  const auto text = read_text_file(m_work_dir + "/journal.json", k_limit_bytes);
  if (!text && text.error().code == ErrorCode::not_found) {
    return std::optional<JournalState>();
  }
  if (!text) {
    return text.error();
  }
  auto state = parse_journal(*text);
  if (!state) {
    return std::move(state).error().within(m_work_dir + "/journal.json");
  }
  return std::optional<JournalState>(std::move(*state));
}

Status Journal::save(const JournalState& state) const {
  // On a bare host it is the first thing in k3s's data directory, which is everybody's to pass.
  RB_TRY(make_directories(m_work_dir.substr(0, m_work_dir.rfind('/')), 0755));
  RB_TRY(make_directories(m_work_dir, 0700));
  return write_file(m_work_dir + "/journal.json", as_bytes(serialize(state)), 0600);
}

Status Journal::remove() const {
  return remove_path(m_work_dir + "/journal.json");
}

Status remember_place(const std::string& data_dir, const std::string& file) {
  RB_TRY(make_directories(file.substr(0, file.rfind('/')), 0755));
  return write_file(file, as_bytes(data_dir + "\n"), 0600);
}

Status forget_place(const std::string& before, const std::string& file) {
  return before.empty() ? remove_path(file) : remember_place(before, file);
}

std::string remembered_place(const std::string& file) {
  const auto text = read_text_file(file, PATH_MAX);
  const bool is_path = text && text->starts_with('/') && text->ends_with('\n') &&
                       text->find('\n') == text->size() - 1 &&
                       text->find('\0') == std::string::npos;
  return is_path ? text->substr(0, text->size() - 1) : std::string();
}

Result<FoundJournal>
find_journal(const std::string& data_dir, bool chosen, bool (*fits)(const JournalState&)) {
  FoundJournal found{data_dir, {}};
  RB_TRY_ASSIGN(found.state, Journal(work_dir_in(data_dir)).load());
  const std::string elsewhere = remembered_place();
  if ((!found.state || !fits(*found.state)) && !chosen && !elsewhere.empty()) {
    found.data_dir = elsewhere;
    RB_TRY_ASSIGN(found.state, Journal(work_dir_in(elsewhere)).load());
  }
  if (found.state && !fits(*found.state)) {
    found.state.reset();
  }
  return found;
}

Result<RestoreLock> RestoreLock::acquire(const std::string& path) {
  RB_TRY(make_directories(path.substr(0, path.rfind('/')), 0711));
  RB_TRY_ASSIGN(Fd fd, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error{ErrorCode::busy,
                   "another restore, or a rewrap, runs on this host; nothing was changed",
                   "wait for its end"};
    }
    return system_error(errno, path + ": flock");
  }
  return RestoreLock(std::move(fd));
}

} // namespace rb::cluster
