#pragma once

#include <aegis/aegis.h>

/// What runs at which times.
void schedules(aegis::Schedules& s);
