#include "restore/restore_list.hpp"

#include "restore/set_json.hpp"
#include "restore/set_report.hpp"
#include "set/age_reader.hpp"
#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

namespace rb::restore {

std::string opens(set::Directory& directory,
                  const set::BackupSet& set,
                  std::span<const age::Identity> identities) {
  std::size_t opened = 0;
  std::size_t all = 0;
  for (const set::SetFile& file : set.files) {
    if (!file.name.ends_with(".age")) {
      continue;
    }
    ++all;
    const auto open = directory.fs().open_read(file.name);
    opened += open && set::AgeReader::open(**open, identities) ? 1U : 0U;
  }
  return identities.empty() || all == 0 ? "-"
         : opened == all                ? "yes"
         : opened == 0                  ? "no"
                                        : "partly";
}

std::string table_of(const std::vector<ListedSet>& sets, SystemTime now) {
  std::vector<std::vector<std::string>> rows{{"#",
                                              "SET",
                                              "AGE",
                                              "SIZE",
                                              "STATE",
                                              "VERIFIED",
                                              "PROVEN",
                                              "SIGNED",
                                              "OPENS",
                                              "REVISION",
                                              "K3S"}};
  for (const ListedSet& listed : sets) {
    const set::BackupSet& set = *listed.set;
    const auto& manifest = set.manifest;
    rows.push_back(
        {std::to_string(rows.size()),
         set.run_id,
         format_age(now - set.time),
         format_size(set.size_bytes),
         std::string(set::to_string(set.state)),
         manifest && manifest->complete ? "yes" : "no",
         proof_word(set),
         listed.signature,
         listed.opens,
         manifest && manifest->snapshot ? std::to_string(manifest->snapshot->revision) : "-",
         manifest ? terminal_text(or_dash(manifest->k3s_version)) : "-"});
  }
  return text_table(rows);
}

nlohmann::ordered_json json_of(const std::vector<ListedSet>& sets) {
  auto json = nlohmann::ordered_json::array();
  for (const ListedSet& listed : sets) {
    json.push_back(to_json(*listed.set));
    json.back()["opens"] = listed.opens;
    json.back()["signed"] = listed.signature;
  }
  return json;
}

} // namespace rb::restore
