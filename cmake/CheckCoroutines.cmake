# Refuses a compiler that destroys temporaries of a co_await expression twice (GCC before 14 does:
# https://gcc.gnu.org/bugzilla/show_bug.cgi?id=104031 and its duplicates). Seen as a double free at run time, so
# the probe is run, not only compiled. When cross-compiling it cannot run and is skipped.
if(NOT CMAKE_CROSSCOMPILING AND NOT PUNIE_COROUTINES_CHECKED)
    try_run(
        coroutine_probe_result coroutine_probe_compiled
        "${PROJECT_BINARY_DIR}/coroutine_probe" "${PROJECT_SOURCE_DIR}/cmake/coroutine_probe.cpp"
        CMAKE_FLAGS "-DCMAKE_CXX_STANDARD=23" "-DCMAKE_CXX_STANDARD_REQUIRED=ON"
        COMPILE_OUTPUT_VARIABLE coroutine_probe_output
    )
    if(NOT coroutine_probe_compiled)
        message(FATAL_ERROR
            "Punie needs C++23 with coroutines and std::expected; ${CMAKE_CXX_COMPILER} "
            "(${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}) does not compile the probe.\n"
            "Use clang 19 (Debian: apt-get install clang-19, then CXX=clang++-19), GCC 14 or later, or Apple's clang.\n"
            "${coroutine_probe_output}")
    endif()
    if(NOT coroutine_probe_result EQUAL 0)
        message(FATAL_ERROR
            "${CMAKE_CXX_COMPILER} (${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}) destroys aggregate "
            "temporaries in a co_await expression twice, which is a double free in Punie.\n"
            "Use clang 19 (Debian: apt-get install clang-19, then CXX=clang++-19) or GCC 14 or later.")
    endif()
    set(PUNIE_COROUTINES_CHECKED TRUE CACHE INTERNAL "")
endif()
