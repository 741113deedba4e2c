# SPDX-License-Identifier: Apache-2.0
# What is installed beside tools, libraries and headers: all that others need to find these, wherever the prefix is
# moved to.

include(CMakePackageConfigHelpers)
set(package "${CMAKE_INSTALL_LIBDIR}/cmake/kb")
configure_package_config_file(cmake/kb-config.cmake.in "${PROJECT_BINARY_DIR}/kb-config.cmake"
    INSTALL_DESTINATION "${package}" PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_BINDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/kb-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/kb-config.cmake" "${PROJECT_BINARY_DIR}/kb-config-version.cmake"
    DESTINATION "${package}")

file(RELATIVE_PATH KB_PC_TO_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" KB_PC_TO_PREFIX "${KB_PC_TO_PREFIX}")
configure_file(cmake/kbsim.pc.in "${PROJECT_BINARY_DIR}/kbsim.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/kbsim.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

foreach(folder docs examples)
    if(EXISTS "${PROJECT_SOURCE_DIR}/${folder}")
        install(DIRECTORY "${folder}" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
    endif()
endforeach()
install(FILES LICENSE README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" OPTIONAL)
