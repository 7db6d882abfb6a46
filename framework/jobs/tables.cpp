#include "jobs/tables.h"

namespace aegis::jobs {

std::vector<const Table*> tables() {
  return {&table_of<WaitingJob>(), &table_of<FinishedJob>(), &table_of<UniqueRow>(),
          &table_of<WorkerRow>(),  &table_of<QueueRow>(),    &table_of<LimitRow>(),
          &table_of<JobAfter>(),   &table_of<JobStep>(),     &table_of<JobLine>()};
}

}  // namespace aegis::jobs
