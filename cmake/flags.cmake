# SPDX-License-Identifier: Apache-2.0
# The language, the warnings and the instrumentation that every file of kb is compiled with.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
# A static library ends up in users' plugins, so it must be relocatable.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
# No NDEBUG: an assert marks a bug of ours, and a wrong answer costs a user more than the compare costs us.
# What was given by a preset or on the command line stands.
foreach(pair "RELEASE|-O3 -g1|-O3 -DNDEBUG" "DEBUG|-O0 -g3|-g")
    string(REPLACE "|" ";" pair "${pair}")
    list(GET pair 0 type)
    list(GET pair 1 ours)
    list(GET pair 2 theirs)
    if("${CMAKE_C_FLAGS_${type}}" STREQUAL "${theirs}")
        set(CMAKE_C_FLAGS_${type} "${ours}")
    endif()
endforeach()

add_compile_options(
    -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    # A fused multiply-add rounds once where the source rounds twice; results may not depend on the compiler.
    -ffp-contract=off
    # Where a source lay when it was built is nobody's business: __FILE__ begins at the root.
    -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=
    # Nobody puts another function in the place of one of ours: a file's calls within itself may be inlined.
    -fno-semantic-interposition)
if(KB_WERROR)
    add_compile_options(-Werror)
endif()

if(KB_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "KB_FUZZ needs clang (libFuzzer is part of it); use the preset `fuzz`")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
    if(NOT KB_SANITIZE)
        set(KB_SANITIZE "address,undefined" CACHE STRING "" FORCE)
    endif()
endif()
if(KB_SANITIZE)
    # Instrumented code hides from gcc what is always set; the other builds keep that warning.
    add_compile_options(-fsanitize=${KB_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
        $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    add_link_options(-fsanitize=${KB_SANITIZE})
endif()
if(KB_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
