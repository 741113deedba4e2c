# SPDX-License-Identifier: Apache-2.0
# What a library, a tool, a unit test and a script test of kb are. Each is found by its place in the tree, and a
# folder that holds nothing yet is skipped.

# kb_library(kbX [PUBLIC targets...] [PRIVATE targets...]): a library from ./src, with its own include root ./include.
# Headers of ./src are private to it: a wrong include is a compile error.
function(kb_library name)
    cmake_parse_arguments(arg "" "" "PUBLIC;PRIVATE" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS src/*.c src/*/*.c src/*/*/*.c)
    if(NOT sources)
        return()
    endif()
    add_library(${name} ${sources})
    target_include_directories(${name}
        PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
        PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
    target_compile_definitions(${name} PRIVATE KB_VERSION="${PROJECT_VERSION}")
    foreach(visibility PUBLIC PRIVATE)
        foreach(other IN LISTS arg_${visibility})
            # A library of ours may still be empty; one of others was found or configuring has stopped.
            if(TARGET ${other} OR other MATCHES "^(m|dl)$")
                target_link_libraries(${name} ${visibility} ${other})
            endif()
        endforeach()
    endforeach()
    install(TARGETS ${name})
    if(IS_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/include")
        install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
    endif()
endfunction()

# kb_link_present(target libs...): links those of our libraries that exist already.
function(kb_link_present target)
    foreach(lib IN LISTS ARGN)
        if(TARGET ${lib})
            target_link_libraries(${target} PRIVATE ${lib})
        endif()
    endforeach()
endfunction()

# kb_test(name label command...): a test in a fresh scratch folder, quiet unless it fails.
function(kb_test name label)
    set(runner "${PROJECT_SOURCE_DIR}/tests/run-case.sh")
    set(scratch "${PROJECT_BINARY_DIR}/scratch/${name}")
    add_test(NAME ${name} COMMAND "${runner}" "${scratch}" ${ARGN})
    set_tests_properties(${name} PROPERTIES
        LABELS "${label}"
        TIMEOUT 300
        ENVIRONMENT "KB_BIN=${PROJECT_BINARY_DIR}/bin;KB_ROOT=${PROJECT_SOURCE_DIR};KB_SANITIZE=${KB_SANITIZE}")
endfunction()
