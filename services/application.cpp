#include "application.h"

#include "api/hello.h"
#include "api/shields.h"             // [database]
#include "models/shield.h"           // [database]
#include "scheduler/schedules.h"     // [scheduler]
#include "worker/appraise_shield.h"  // [worker]
#include "worker/inscribe_runes.h"   // [worker]

void configure(aegis::App& app) {
  app.routes(hello);
  app.models<Shield>().routes(shields);       // [database]
  app.jobs<InscribeRunes, AppraiseShield>();  // [worker]
  app.schedules(schedules);                   // [scheduler]
}
