#include "application.h"

#include "api/shields.h"
#include "models/shield.h"

void configure(aegis::App& app) { app.models<Shield>().routes(shields); }
