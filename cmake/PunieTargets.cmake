# How Punie's targets are made: a room is a static library, its unit tests one executable.

add_library(punie_flags INTERFACE)
target_compile_options(punie_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Werror
    $<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wno-unknown-warning-option -Wno-missing-field-initializers>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-missing-field-initializers>)
if(PUNIE_SANITIZE)
    target_compile_options(punie_flags INTERFACE -fsanitize=${PUNIE_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    target_link_options(punie_flags INTERFACE -fsanitize=${PUNIE_SANITIZE})
endif()
# A precompiled header with a time stamp in it would never hit in ccache.
add_library(punie_asio_flags INTERFACE)
target_compile_definitions(punie_asio_flags INTERFACE
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(punie_asio_flags INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()

# Asio's and Beast's separately compiled halves, and the precompiled header that the Asio rooms share.
function(punie_boost_impl)
    add_library(punie_boost STATIC "${PROJECT_SOURCE_DIR}/src/http/boost_impl.cpp")
    target_link_libraries(punie_boost
        PUBLIC punie_asio_flags Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads fmt::fmt
        PRIVATE $<BUILD_INTERFACE:punie_flags>)
    target_include_directories(punie_boost PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
    if(PUNIE_PCH)
        target_precompile_headers(punie_boost PRIVATE "${PROJECT_SOURCE_DIR}/src/base/asio_pch.hpp")
    endif()
    set_property(GLOBAL APPEND PROPERTY PUNIE_EXPORTED punie_boost punie_asio_flags)
endfunction()

# Platform files end in _linux, _macos or _posix; only this platform's are compiled.
function(punie_sources out_name)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS ${ARGN})
    if(APPLE)
        list(FILTER found EXCLUDE REGEX "_linux\\.cpp$")
    else()
        list(FILTER found EXCLUDE REGEX "_macos\\.cpp$")
    endif()
    set(${out_name} ${found} PARENT_SCOPE)
endfunction()

function(punie_use_asio target)
    target_link_libraries(${target} PUBLIC punie_boost)
    if(PUNIE_PCH)
        target_precompile_headers(${target} REUSE_FROM punie_boost)
    endif()
endfunction()

# punie_room(NAME [ASIO] [ROOMS lower...] [LIBS ...]): src/NAME/**.cpp as the library punie_NAME.
function(punie_room name)
    cmake_parse_arguments(room "ASIO" "" "ROOMS;LIBS" ${ARGN})
    punie_sources(sources "${PROJECT_SOURCE_DIR}/src/${name}/*.cpp")
    list(FILTER sources EXCLUDE REGEX "boost_impl\\.cpp$|/guard/")
    if(NOT sources)
        return()
    endif()
    add_library(punie_${name} STATIC ${sources})
    target_include_directories(punie_${name} PUBLIC
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
        $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    foreach(lower IN LISTS room_ROOMS)
        if(TARGET punie_${lower})
            target_link_libraries(punie_${name} PUBLIC punie_${lower})
        endif()
    endforeach()
    target_link_libraries(punie_${name} PUBLIC ${room_LIBS} PRIVATE $<BUILD_INTERFACE:punie_flags>)
    if(room_ASIO)
        punie_use_asio(punie_${name})
    endif()
    set(PUNIE_ROOM_TARGETS punie_${name} ${PUNIE_ROOM_TARGETS} PARENT_SCOPE)
    set_property(GLOBAL APPEND PROPERTY PUNIE_EXPORTED punie_${name})
endfunction()

# The guard is its own small program: it must start in a millisecond and cost next to no memory.
function(punie_guard_program)
    punie_sources(sources "${PROJECT_SOURCE_DIR}/src/process/guard/*.cpp")
    if(NOT sources)
        return()
    endif()
    add_executable(punie-guard ${sources})
    target_include_directories(punie-guard PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
    target_link_libraries(punie-guard PRIVATE $<BUILD_INTERFACE:punie_flags>)
    if(NOT APPLE AND NOT PUNIE_SANITIZE)
        target_link_options(punie-guard PRIVATE -static)
    endif()
    if(PUNIE_SANITIZE MATCHES "thread")  # it has one thread, and makes processes in ways that TSan does not follow
        target_compile_options(punie-guard PRIVATE -fno-sanitize=thread)
        target_link_options(punie-guard PRIVATE -fno-sanitize=thread)
    endif()
    if(TARGET punie_process)
        target_compile_definitions(punie_process PRIVATE
            PUNIE_GUARD_BUILT="$<TARGET_FILE:punie-guard>"
            PUNIE_GUARD_INSTALLED="${CMAKE_INSTALL_FULL_LIBEXECDIR}/punie/punie-guard")
        add_dependencies(punie_process punie-guard)
    endif()
    install(TARGETS punie-guard RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/punie)
endfunction()

function(punie_cli_program)
    punie_sources(sources "${PROJECT_SOURCE_DIR}/src/cli/*.cpp")
    list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
    if(NOT sources)
        return()
    endif()
    add_library(punie_cli STATIC ${sources})
    target_compile_definitions(punie_cli PUBLIC PUNIE_VERSION="${PROJECT_VERSION}")
    find_library(PUNIE_LIBEDIT edit REQUIRED)  # Debian: libedit-dev; part of macOS
    target_link_libraries(punie_cli PUBLIC punie_all CLI11::CLI11 PRIVATE ${PUNIE_LIBEDIT} $<BUILD_INTERFACE:punie_flags>)
    add_executable(punie_program "${PROJECT_SOURCE_DIR}/src/cli/main.cpp")
    set_target_properties(punie_program PROPERTIES OUTPUT_NAME punie RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
    target_link_libraries(punie_program PRIVATE punie_cli $<BUILD_INTERFACE:punie_flags>)
    install(TARGETS punie_program RUNTIME)
endfunction()

# punie_test(NAME KIND SOURCES... [ROOMS ...] [ASIO]): a GoogleTest executable, each test known to ctest under label KIND.
function(punie_test name kind)
    cmake_parse_arguments(t "ASIO" "TIMEOUT" "SOURCES;ROOMS;LIBS" ${ARGN})
    add_executable(${name} ${t_SOURCES})
    foreach(room IN LISTS t_ROOMS)
        target_link_libraries(${name} PRIVATE punie_${room})
    endforeach()
    target_link_libraries(${name} PRIVATE ${t_LIBS} GTest::gmock GTest::gtest_main $<BUILD_INTERFACE:punie_flags>)
    target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
    if(t_ASIO)
        punie_use_asio_private(${name})
    endif()
    if(NOT t_TIMEOUT)
        set(t_TIMEOUT 60)
    endif()
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${kind} TIMEOUT ${t_TIMEOUT})
endfunction()

function(punie_use_asio_private target)
    target_link_libraries(${target} PRIVATE punie_boost)
    if(PUNIE_PCH)
        # CMake compiles programs with -fPIE, and clang refuses a header precompiled with -fPIC there.
        set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
        target_compile_options(${target} PRIVATE -fPIC)
        target_precompile_headers(${target} REUSE_FROM punie_boost)
    endif()
endfunction()
