#include "application.h"

#include "api/shields.h"
#include "models/shield.h"
#include "worker/appraise_shield.h"
#include "worker/inscribe_runes.h"

void configure(aegis::App& app) {
  app.models<Shield>().routes(shields).jobs<InscribeRunes, AppraiseShield>();
}
