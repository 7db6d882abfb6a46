# Source lines in logs and test reports are relative to the root. Under ccache the compiler is given
# paths relative to the build directory (CCACHE_BASEDIR), and the option must be the same in every
# clone, or no clone finds what another one compiled.
if(CMAKE_CXX_COMPILER_LAUNCHER)
  file(RELATIVE_PATH root ${CMAKE_BINARY_DIR} ${PROJECT_SOURCE_DIR})
  add_compile_options(-fmacro-prefix-map=${root}=)
else()
  add_compile_options(-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
endif()
