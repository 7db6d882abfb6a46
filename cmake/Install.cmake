# `cmake --install` and `cpack`: the `aegis` program and a shared library are the component `runtime`,
# what one builds with is `dev`: headers, the libraries, find_package(aegis CONFIG) and pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/aegis)
install(TARGETS aegis aegis_testing EXPORT aegisTargets
  LIBRARY COMPONENT runtime NAMELINK_COMPONENT dev
  ARCHIVE COMPONENT dev
  FILE_SET HEADERS COMPONENT dev)
if(BUILD_SHARED_LIBS)    # the program finds the library wherever both are installed
  set_target_properties(aegis_program PROPERTIES INSTALL_RPATH "\$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
endif()
install(TARGETS aegis_program RUNTIME COMPONENT runtime)
set(completion ${PROJECT_SOURCE_DIR}/framework/cli/completion)
install(FILES ${completion}/aegis.bash RENAME aegis COMPONENT runtime
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${completion}/aegis.fish COMPONENT runtime
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
foreach(folder_of_zsh site-functions vendor-completions)    # below /usr/local, below /usr
  install(FILES ${completion}/_aegis COMPONENT runtime
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/${folder_of_zsh})
endforeach()
install(EXPORT aegisTargets NAMESPACE aegis:: DESTINATION ${folder} COMPONENT dev)

if(NOT DEFINED BUILD_SHARED_LIBS)
  set(BUILD_SHARED_LIBS OFF)
endif()
configure_package_config_file(cmake/aegisConfig.cmake.in aegisConfig.cmake
  INSTALL_DESTINATION ${folder})
write_basic_package_version_file(aegisConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/aegisConfig.cmake ${PROJECT_BINARY_DIR}/aegisConfigVersion.cmake
  cmake/CoroutineProbe.cmake DESTINATION ${folder} COMPONENT dev)
install(DIRECTORY cmake/probes DESTINATION ${folder} COMPONENT dev)

get_target_property(definitions aegis INTERFACE_COMPILE_DEFINITIONS)
list(TRANSFORM definitions PREPEND -D)
list(JOIN definitions " " aegis_pc_definitions)
if(NOT BUILD_SHARED_LIBS)    # then the application is linked with what the library needs
  set(aegis_pc_libraries "-lboost_json -lboost_url ")
  set(aegis_pc_requires "sqlite3 libpq spdlog fmt absl_time libssl libcrypto")
endif()
file(RELATIVE_PATH up_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/aegis.pc.in aegis.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/aegis.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

# Debian packages. What the library's users build with is what their projects ask for.
file(STRINGS ${PROJECT_SOURCE_DIR}/framework/cli/project/deploy/packages.txt lines)
set(needed "")
foreach(line IN LISTS lines)
  if(line MATCHES "^\\[(.*)\\]")
    set(group ${CMAKE_MATCH_1})
  elseif(group MATCHES "^(build|test)$" AND line MATCHES "^([a-z0-9.+-]+)")
    list(APPEND needed ${CMAKE_MATCH_1})
  endif()
endforeach()
list(JOIN needed ", " needed)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME aegis)
set(CPACK_PACKAGE_CONTACT "The Aegis project <aegis@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/StripArchives.cmake)
set(CPACK_COMPONENTS_ALL runtime dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME aegis)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "libaegis-dev, git")
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libaegis-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "aegis (= ${PROJECT_VERSION}), ${needed}")
include(CPack)
