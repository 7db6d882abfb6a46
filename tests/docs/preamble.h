#pragma once

// What the fragments in docs/ take for granted.
#include <aegis/aegis.h>
#include <aegis/app/system_jobs.h>
#include <aegis/core/blocking.h>
#include <aegis/core/clock.h>
#include <aegis/core/log.h>
#include <aegis/core/runtime.h>
#include <aegis/db/listener.h>
#include <aegis/health/health.h>
#include <aegis/testing/testing.h>

#include <filesystem>

#include "models/shield.h"

using namespace aegis;
using namespace std::chrono_literals;

// A page names results that it does not go on with.
#pragma GCC diagnostic ignored "-Wunused-variable"
