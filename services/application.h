#pragma once

#include <aegis/aegis.h>

/// What the application is made of; the program and its tests share it.
void configure(aegis::App& app);
