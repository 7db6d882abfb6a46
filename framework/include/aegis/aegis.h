#pragma once

/// Everything a file of an application needs.
#include "aegis/app/app.h"
