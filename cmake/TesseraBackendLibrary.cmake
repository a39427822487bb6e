# Backend libraries are opened at run time: where they lie relative to a program, and the version of the interface that
# both sides must have been built from. Sets TESSERA_BACKEND_LIBDIR, TESSERA_BACKEND_DIR and TESSERA_BACKEND_ABI.

set(TESSERA_BACKEND_LIBDIR ${CMAKE_INSTALL_LIBDIR}/tessera)
file(RELATIVE_PATH TESSERA_BACKEND_DIR /prefix/${CMAKE_INSTALL_BINDIR} /prefix/${TESSERA_BACKEND_LIBDIR})

# The version is a digest of the headers that both sides see, so that nobody can forget to raise it.
set(interface ${PROJECT_VERSION})
foreach(header core/src/backend.h core/src/device/backend_library.h core/include/tessera/error.h
        core/include/tessera/image.h core/include/tessera/safetensors.h)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${header})
  file(SHA256 ${PROJECT_SOURCE_DIR}/${header} digest)
  string(APPEND interface " ${digest}")
endforeach()
string(SHA256 TESSERA_BACKEND_ABI "${interface}")
string(SUBSTRING ${TESSERA_BACKEND_ABI} 0 16 TESSERA_BACKEND_ABI)
