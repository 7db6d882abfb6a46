# The warnings this project's own targets are compiled with; not passed on to those who link it.
add_library(aegis_warnings INTERFACE)
target_compile_options(aegis_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  # clang counts changes of sign under -Wconversion, g++ does not: every container index would warn.
  -Wno-sign-conversion
  $<$<BOOL:${AEGIS_WERROR}>:-Werror>)
