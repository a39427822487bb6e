# Finds what the libraries link; every dependency is PRIVATE to the target that uses it.

find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(TIFF REQUIRED)
find_package(GIF REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(dnnl REQUIRED)
find_package(faiss REQUIRED)  # after OpenMP, which it links without looking for it
# BLAS and LAPACK are opened when FAISS needs them (indexer/src/search/blas_on_demand.cpp).
set_target_properties(faiss PROPERTIES INTERFACE_LINK_LIBRARIES "$<LINK_ONLY:OpenMP::OpenMP_CXX>")
pkg_check_modules(WebP REQUIRED IMPORTED_TARGET libwebp libwebpdemux)
pkg_check_modules(LCMS2 REQUIRED IMPORTED_TARGET lcms2)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

if(TESSERA_BUILD_CLI)
  find_package(CLI11 REQUIRED)
endif()
if(TESSERA_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
