#include "schedule/tables.h"

namespace aegis::schedule {

std::vector<const Table*> tables() {
  return {&table_of<ScheduleRow>(), &table_of<RunRow>()};
}

}  // namespace aegis::schedule
