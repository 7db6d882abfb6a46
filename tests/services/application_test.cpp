// What all tests beside this one run on: the application, as main() configures it.
#include "application.h"

#include <aegis/testing/testing.h>

AEGIS_TEST_APPLICATION(configure)
