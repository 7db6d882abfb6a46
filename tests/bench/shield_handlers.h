#pragma once

#include "aegis/aegis.h"

/// Adds POST /shields, GET /shields/{id} and GET /shields.
void shields(aegis::Router& router);
