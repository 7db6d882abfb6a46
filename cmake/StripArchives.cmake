# CPack strips programs and shared libraries; Debian's static ones have no debug information either
# (Debian Policy 10.2).
find_program(STRIP NAMES llvm-strip-19 strip REQUIRED)
file(GLOB_RECURSE archives ${CPACK_TEMPORARY_DIRECTORY}/*.a)
foreach(archive IN LISTS archives)
  execute_process(COMMAND ${STRIP} --strip-debug --enable-deterministic-archives ${archive}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
