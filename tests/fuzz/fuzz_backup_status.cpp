// What is read to say whether there is a current backup: BackupStatus, `.last-drill`, lines of
// backup.log, schedules. Nothing of it may throw, and what is read must survive being written.
#include "set/backup_log.hpp"
#include "set/marks.hpp"
#include "status/cron.hpp"
#include "status/families.hpp"

#include "api/backup_status.hpp"
#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>

using namespace rb;

namespace {

void read_object(std::string_view text) {
  const auto json = json_of(text);
  if (json.is_discarded()) {
    return;
  }
  const auto backup_status = api::backup_status_from_json(json);
  if (!backup_status) {
    return;
  }
  for (const api::NodeFacts& facts : backup_status->status.nodes) {
    if (!(from_json_fields<api::NodeFacts>(api::to_json(facts)).value() == facts)) {
      std::abort();
    }
  }
  static_cast<void>(status::exposition(status::families_of(backup_status->status.nodes)));
  static_cast<void>(api::controller_apply(backup_status->status));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(ByteView(data, size));
  read_object(text);
  static_cast<void>(set::parse_last_drill(text));
  static_cast<void>(set::parse_last_verify(text));
  static_cast<void>(set::parse_log_line(text));
  if (const auto cron = status::Cron::parse(text)) {
    static_cast<void>(cron->next(SystemTime{}));
    static_cast<void>(cron->longest_pause(SystemTime{}));
  }
  return 0;
}
