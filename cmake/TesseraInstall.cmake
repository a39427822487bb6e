# What `cmake --install` lays down: a tree that can be moved, with bin/, share/tessera/models, headers, libraries and an
# importable CMake package.

include(CMakePackageConfigHelpers)
set(tessera_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tessera)

install(TARGETS tessera_core tessera_indexer EXPORT tesseraTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY core/include/tessera indexer/include/tessera DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(EXPORT tesseraTargets NAMESPACE tessera:: DESTINATION ${tessera_package_dir})
configure_package_config_file(cmake/tesseraConfig.cmake.in ${PROJECT_BINARY_DIR}/tesseraConfig.cmake
                              INSTALL_DESTINATION ${tessera_package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tesseraConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tesseraConfig.cmake ${PROJECT_BINARY_DIR}/tesseraConfigVersion.cmake
              cmake/TesseraDependencies.cmake
        DESTINATION ${tessera_package_dir})

install(DIRECTORY models DESTINATION ${CMAKE_INSTALL_DATADIR}/tessera)
if(TESSERA_BUILD_CLI)
  set(tessera_share ${PROJECT_BINARY_DIR}/share)
  add_custom_command(OUTPUT ${tessera_share}/man/man1/tessera.1
                     COMMAND ${CMAKE_COMMAND} -DTESSERA=$<TARGET_FILE:tessera> -DSHARE=${tessera_share}
                             -P ${PROJECT_SOURCE_DIR}/cmake/GenerateManual.cmake
                     DEPENDS tessera ${PROJECT_SOURCE_DIR}/cmake/GenerateManual.cmake
                     COMMENT "Writing the manual pages and the bash completion" VERBATIM)
  add_custom_target(tessera_manual ALL DEPENDS ${tessera_share}/man/man1/tessera.1)
  install(DIRECTORY ${tessera_share}/man ${tessera_share}/bash-completion DESTINATION ${CMAKE_INSTALL_DATADIR})
endif()
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
