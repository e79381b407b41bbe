# cmake --install and find_package(punie).
include(CMakePackageConfigHelpers)
get_property(exported GLOBAL PROPERTY PUNIE_EXPORTED)
install(TARGETS punie_all ${exported} EXPORT punieTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/punie DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT punieTargets NAMESPACE punie:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/punie)
configure_package_config_file(cmake/punieConfig.cmake.in "${PROJECT_BINARY_DIR}/punieConfig.cmake"
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/punie PATH_VARS CMAKE_INSTALL_LIBEXECDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/punieConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/punieConfig.cmake" "${PROJECT_BINARY_DIR}/punieConfigVersion.cmake"
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/punie)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
