# Refuses a compiler that miscompiles coroutines. g++ 12 does, in silence and at every -O level; its
# faults would show as requests that hang and as double frees. Each probe returns 0 when it is right.
# The verdict is cached for a compiler and its flags.

function(aegis_probe_coroutines)
  set(subject "${CMAKE_CXX_COMPILER} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE} ${CMAKE_CXX_FLAGS}")
  string(STRIP "${subject}" subject)
  if(CMAKE_CROSSCOMPILING OR AEGIS_COROUTINES_PROBED STREQUAL subject)
    return()
  endif()

  set(CMAKE_TRY_COMPILE_CONFIGURATION ${CMAKE_BUILD_TYPE})
  set(faults "")
  foreach(probe
      "awaited_condition|`if (co_await f())` in a coroutine without locals never completes"
      "awaited_temporary|a temporary in the same expression as `co_await` is destroyed twice")
    string(REPLACE "|" ";" probe "${probe}")
    list(POP_FRONT probe name)
    try_run(exit_code compiled
      ${PROJECT_BINARY_DIR}/probes/${name} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/probes/${name}.cpp
      CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
      COMPILE_OUTPUT_VARIABLE output WORKING_DIRECTORY ${PROJECT_BINARY_DIR})
    if(NOT compiled)
      message(FATAL_ERROR "${CMAKE_CXX_COMPILER} does not compile C++20 coroutines:\n${output}")
    elseif(NOT exit_code EQUAL 0)
      string(APPEND faults "  * ${probe}\n")
    endif()
    unset(exit_code CACHE)
    unset(compiled CACHE)
  endforeach()

  if(faults)
    message(FATAL_ERROR
      "${CMAKE_CXX_COMPILER} (${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}) miscompiles "
      "coroutines, so Aegis does not build with it:\n${faults}"
      "Install clang 19 (apt-get install clang-19) and configure in a new build directory with "
      "`cmake --preset dev` or -DCMAKE_CXX_COMPILER=clang++-19.")
  endif()
  message(STATUS "Coroutines: ${CMAKE_CXX_COMPILER} compiles them rightly")
  set(AEGIS_COROUTINES_PROBED "${subject}" CACHE INTERNAL "What the coroutine probes passed with")
endfunction()

aegis_probe_coroutines()
