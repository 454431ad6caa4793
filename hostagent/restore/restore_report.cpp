// Checks, plan and outcome of a restore, for people and for programs.
#include "restore/restore.hpp"
#include "restore/set_output.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

namespace rb::restore {

using cluster::Check;
using cluster::Decision;
using cluster::Outcome;
using cluster::Verdict;

namespace {

const char* word_of(Verdict verdict) {
  switch (verdict) {
  case Verdict::ok:
    return "ok";
  case Verdict::warn:
    return "warning";
  case Verdict::refuse:
    return "refused";
  }
  return "";
}

void say_hint(const std::string& hint, std::string& text) {
  if (!hint.empty()) {
    text += "          hint: " + terminal_text(hint) + "\n";
  }
}

nlohmann::ordered_json json_of(const cluster::NamedObjects& objects) {
  return {{"count", objects.count}, {"first", objects.first}};
}

void say_objects(const char* what, const cluster::NamedObjects& objects, const Io& io) {
  for (const std::string& name : objects.first) {
    io.err << "  " << what << ": " << terminal_text(name) << '\n';
  }
  if (objects.count > objects.first.size()) {
    io.err << "  " << what << ": " << objects.count - objects.first.size() << " more\n";
  }
}

/// "configmaps shop/settings and 2 more"
std::string in_short(const cluster::NamedObjects& objects) {
  std::string text = objects.first.front();
  if (objects.count > 1) {
    text += " and " + std::to_string(objects.count - 1) + " more";
  }
  return text;
}

} // namespace

std::string to_text(const Decision& decision) {
  std::string text;
  for (const Check& check : decision.checks) {
    std::string word = word_of(check.verdict);
    word.resize(9, ' ');
    text += word + " " + check.name + ": " + terminal_text(check.message) + "\n";
    if (check.verdict != Verdict::ok) {
      say_hint(check.hint, text);
    }
  }
  if (!decision.refused()) {
    text += "\nSteps:\n";
    int number = 0;
    for (const std::string& line : cluster::describe(decision.plan)) {
      text += "  " + std::to_string(++number) + ". " + line + "\n";
    }
  }
  return text;
}

nlohmann::ordered_json to_json(const Decision& decision) {
  nlohmann::ordered_json json{{"runID", decision.plan.run_id},
                              {"refused", decision.refused()},
                              {"bareHost", decision.plan.bare},
                              {"checks", nlohmann::ordered_json::array()},
                              {"steps", cluster::describe(decision.plan)}};
  for (const Check& check : decision.checks) {
    json["checks"].push_back({{"name", check.name},
                              {"verdict", word_of(check.verdict)},
                              {"message", check.message},
                              {"hint", check.hint}});
  }
  return json;
}

int report(const Outcome& outcome,
           const cluster::Plan& plan,
           const Options& options,
           nlohmann::ordered_json json,
           Io& io) {
  const bool done = outcome.message.empty();
  json["done"] = done;
  json["rolledBack"] = outcome.rolled_back;
  json["message"] = outcome.message;
  json["differences"] = outcome.objects.differences;
  json["missing"] = json_of(outcome.objects.missing);
  json["passing"] = json_of(outcome.objects.passing);
  json["exitCode"] = static_cast<int>(outcome.code);
  if (options.output == OutputFormat::json) {
    io.out << dump(json);
  }
  if (!done) {
    return fail(io,
                {ErrorCode::io, terminal_text(outcome.message), terminal_text(outcome.hint)},
                outcome.code);
  }
  for (const std::string& line : outcome.objects.differences) {
    io.err << "  differs: " << terminal_text(line) << '\n';
  }
  say_objects("is missing", outcome.objects.missing, io);
  say_objects("comes and goes by itself", outcome.objects.passing, io);
  if (outcome.objects.missing.count != 0) {
    return fail(io,
                {ErrorCode::incomplete,
                 "the restored cluster has fewer objects than the backup: " +
                     terminal_text(in_short(outcome.objects.missing)),
                 "see whether they are needed; `railiance-restore restore --rollback` goes back"},
                ExitCode::incomplete);
  }
  if (options.output == OutputFormat::text) {
    io.out << "restored " << plan.run_id << "; restart k3s-agent on agent nodes, and `rm -rf "
           << plan.work_dir() << "` once all is well (--rollback needs it)\n";
  }
  return static_cast<int>(outcome.code);
}

} // namespace rb::restore
