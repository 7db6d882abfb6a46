# ccache and mold are used where they are installed; the build is right without them.

find_program(AEGIS_CCACHE ccache)
if(AEGIS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${AEGIS_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${AEGIS_CCACHE})
endif()

find_program(AEGIS_MOLD mold)
if(AEGIS_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
