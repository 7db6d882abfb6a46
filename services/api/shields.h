#pragma once

#include <aegis/aegis.h>

/// Adds the routes under /shields.
void shields(aegis::Router& router);
