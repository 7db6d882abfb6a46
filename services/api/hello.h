#pragma once

#include <aegis/aegis.h>

/// Adds the route /hello.
void hello(aegis::Router& router);
