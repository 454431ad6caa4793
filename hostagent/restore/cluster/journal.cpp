#include "restore/cluster/journal.hpp"

#include "restore/cluster/host_files.hpp"

#include "base/fd.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace rb::cluster {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* k_schema = "railiance.io/restore-journal/v1";
constexpr std::size_t k_limit_bytes = std::size_t{8} << 20U;
constexpr std::array<std::pair<Phase, const char*>, 4> k_phases{
    {{Phase::restoring, "restoring"},
     {Phase::done, "done"},
     {Phase::rolling_back, "rolling-back"},
     {Phase::rolled_back, "rolled-back"}}};

const char* name_of(Phase phase) {
  const auto* const found = std::find_if(
      k_phases.begin(), k_phases.end(), [&](const auto& pair) { return pair.first == phase; });
  return found->second;
}

Json names_of(const std::vector<Step>& steps) {
  Json names = Json::array();
  for (const Step step : steps) {
    names.push_back(to_string(step));
  }
  return names;
}

Json json_of(const std::vector<Replacement>& replacements) {
  Json list = Json::array();
  for (const Replacement& one : replacements) {
    list.push_back({{"interface", one.kind == ReplacementKind::interface},
                    {"from", one.from},
                    {"to", one.to}});
  }
  return list;
}

std::vector<Replacement> replacements_of(const Json& list) {
  std::vector<Replacement> replacements;
  for (const Json& one : list) {
    replacements.push_back(
        {one.at("interface").get<bool>() ? ReplacementKind::interface : ReplacementKind::address,
         one.at("from").get<std::string>(),
         one.at("to").get<std::string>()});
  }
  return replacements;
}

Json json_of(const Plan& plan) {
  return {{"runID", plan.run_id},
          {"dataDir", plan.data_dir},
          {"k3s", plan.k3s_program},
          {"kubeconfig", plan.kubeconfig},
          {"bare", plan.bare},
          {"wasActive", plan.was_active},
          {"keepConfig", plan.keep_config},
          {"replacements", json_of(plan.replacements)},
          {"carried", plan.carried},
          {"steps", names_of(plan.steps)}};
}

std::vector<Step> steps_of(const Json& names) {
  std::vector<Step> steps;
  for (const Json& name : names) {
    const auto step = parse_step(name.get<std::string>());
    if (!step) {
      throw std::invalid_argument("step");
    }
    steps.push_back(*step);
  }
  return steps;
}

Plan plan_of(const Json& json) {
  Plan plan;
  plan.run_id = json.at("runID").get<std::string>();
  plan.data_dir = json.at("dataDir").get<std::string>();
  plan.k3s_program = json.at("k3s").get<std::string>();
  plan.kubeconfig = json.at("kubeconfig").get<std::string>();
  plan.bare = json.at("bare").get<bool>();
  plan.was_active = json.at("wasActive").get<bool>();
  plan.keep_config = json.value("keepConfig", false); // absent in journals of before
  plan.replacements = replacements_of(json.value("replacements", Json::array()));
  plan.carried = json.at("carried").get<std::vector<std::string>>();
  plan.steps = steps_of(json.at("steps"));
  return plan;
}

Phase phase_of(const std::string& name) {
  for (const auto& [phase, text] : k_phases) {
    if (name == text) {
      return phase;
    }
  }
  throw std::invalid_argument("phase");
}

JournalState state_of(const Json& json) {
  if (json.at("schema") != k_schema) {
    throw std::invalid_argument("schema");
  }
  JournalState state;
  state.phase = phase_of(json.at("phase").get<std::string>());
  state.backup_dir = json.at("backupDir").get<std::string>();
  state.started = json.at("started").get<std::string>();
  state.plan = plan_of(json.at("plan"));
  state.completed = steps_of(json.at("completed"));
  const std::vector<Step> current = steps_of(json.at("current"));
  if (!current.empty()) {
    state.current = current.front();
  }
  state.failure = json.at("failure").get<std::string>();
  state.recorded = json.at("recorded").get<bool>();
  state.had_etcd = json.at("hadEtcd").get<bool>();
  state.old_databases = json.at("oldDatabases").get<std::vector<std::string>>();
  state.original = json.value("original", std::string()); // absent in journals of before
  state.saved = json.at("saved").get<std::vector<std::string>>();
  for (const Json& file : json.at("files")) {
    state.files.push_back({file.at("path").get<std::string>(), file.at("existed").get<bool>()});
  }
  // Absent in journals of before:
  if (json.contains("before")) {
    state.before = json.at("before").get<std::vector<std::string>>();
  }
  state.made = json.value("made", std::vector<std::string>());
  state.saved_dir = json.value("savedDir", state.saved_dir);
  if (state.saved_dir.empty() || state.saved_dir.find_first_of("/.") != std::string::npos) {
    throw std::invalid_argument("savedDir");
  }
  if (json.contains("earlier")) {
    state.earlier.push_back(state_of(json.at("earlier")));
  }
  return state;
}

Json json_of(const JournalState& state) {
  Json json{{"schema", k_schema},
            {"phase", name_of(state.phase)},
            {"backupDir", state.backup_dir},
            {"started", state.started},
            {"plan", json_of(state.plan)},
            {"completed", names_of(state.completed)},
            {"current", Json::array()},
            {"failure", state.failure},
            {"recorded", state.recorded},
            {"hadEtcd", state.had_etcd},
            {"oldDatabases", state.old_databases},
            {"original", state.original},
            {"saved", state.saved},
            {"savedDir", state.saved_dir},
            {"made", state.made},
            {"files", Json::array()}};
  if (state.current) {
    json["current"].push_back(to_string(*state.current));
  }
  for (const PutBackFile& file : state.files) {
    json["files"].push_back({{"path", file.path}, {"existed", file.existed}});
  }
  if (state.before) {
    json["before"] = *state.before;
  }
  if (!state.earlier.empty()) {
    json["earlier"] = json_of(state.earlier.front());
  }
  return json;
}

} // namespace

bool JournalState::is_complete(Step step) const {
  return std::find(completed.begin(), completed.end(), step) != completed.end();
}

std::string serialize(const JournalState& state) {
  return json_of(state).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<JournalState> parse_journal(std::string_view text) {
  try {
    return state_of(Json::parse(text));
  } catch (const std::exception&) { // of the JSON library, or of the helpers above
    return Error{ErrorCode::corrupt,
                 "the journal of the restore cannot be read",
                 "look at it; move it away to begin anew"};
  }
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
  RB_TRY(make_directories(m_work_dir, 0700));
  return write_file(m_work_dir + "/journal.json", as_bytes(serialize(state)), 0600);
}

} // namespace rb::cluster
