# Files that become part of the executable, as they are and compressed with gzip.

# aegis_embed_files(<target> <name> FILES <file>… [DEPENDS <dependency>…] [BASE <folder>])
#
# The target's sources can then
#   #include "embedded/<name>.h"    // std::span<const aegis::EmbeddedFile> aegis::embedded::<name>()
# The files may be made during the build, by a custom command of the same folder. With BASE their
# names are paths below that folder.
function(aegis_embed_files target name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "BASE" "FILES;DEPENDS")
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/embedded)
  set(files "")
  foreach(file IN LISTS arg_FILES)
    cmake_path(ABSOLUTE_PATH file)
    list(APPEND files ${file})
  endforeach()

  file(CONFIGURE OUTPUT ${folder}/${name}.h @ONLY CONTENT [[
#pragma once

#include <span>

#include "core/embedded_file.h"

namespace aegis::embedded {
std::span<const EmbeddedFile> @name@();
}
]])
  add_custom_command(OUTPUT ${folder}/${name}.cpp
    COMMAND ${CMAKE_COMMAND} -D name=${name} -D "files=${files}" -D folder=${folder}
      -D base=${arg_BASE}
      -P ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${files} ${arg_DEPENDS} ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    COMMENT "Embedding ${name}"
    VERBATIM)
  # Compiled by a target of this folder: only such a one may depend on what its custom commands make.
  add_library(${target}_${name} OBJECT ${folder}/${name}.cpp)
  target_include_directories(${target}_${name} PRIVATE
    ${CMAKE_CURRENT_BINARY_DIR} ${PROJECT_SOURCE_DIR}/framework)
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_${name}>)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

# aegis_npm_install(<folder> FILES <file in node_modules>…)
#
# Installs what the folder's package.json and package-lock.json name, during the build and into the
# build tree. Sets aegis_npm_files, for the FILES of aegis_embed_files, and aegis_npm_stamp, for its
# DEPENDS.
function(aegis_npm_install folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" FILES)
  cmake_path(ABSOLUTE_PATH folder)
  cmake_path(GET folder FILENAME name)
  set(work ${CMAKE_CURRENT_BINARY_DIR}/npm/${name})
  set(inputs ${folder}/package.json ${folder}/package-lock.json ${folder}/.npmrc)
  list(TRANSFORM arg_FILES PREPEND ${work}/node_modules/)

  find_program(AEGIS_NPM npm REQUIRED)
  file(MAKE_DIRECTORY ${work})
  add_custom_command(OUTPUT ${work}/installed BYPRODUCTS ${arg_FILES}
    COMMAND ${CMAKE_COMMAND} -E copy ${inputs} .
    COMMAND ${AEGIS_NPM} ci --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch installed
    WORKING_DIRECTORY ${work}
    DEPENDS ${inputs}
    COMMENT "npm ci: ${name}"
    VERBATIM)
  set(aegis_npm_files ${arg_FILES} PARENT_SCOPE)
  set(aegis_npm_stamp ${work}/installed PARENT_SCOPE)
endfunction()
