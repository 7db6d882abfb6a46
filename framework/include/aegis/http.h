#pragma once

/// What a file with handlers and routes needs.
#include "aegis/http/router.h"
