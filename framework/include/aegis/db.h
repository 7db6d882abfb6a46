#pragma once

/// What a file that uses the database needs.
#include "aegis/db/database.h"
