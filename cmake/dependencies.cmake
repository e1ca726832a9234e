# Debian 12 packages; nothing vendored. Each library is bound to the one layer that may use it.
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(date REQUIRED)
find_package(tomlplusplus REQUIRED)
if(NOT QUELL_RUNTIME_ONLY)
  find_package(spdlog REQUIRED)
  find_package(SQLite3 REQUIRED)
  find_package(CURL REQUIRED)
  find_package(CLI11 REQUIRED)
  find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS headers)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(pqxx REQUIRED IMPORTED_TARGET libpqxx)
  pkg_check_modules(libpq REQUIRED IMPORTED_TARGET libpq)  # for a warning's code, which libpqxx drops
  pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares)
  pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)

  # Debian ships CAF 0.17 without a CMake package.
  find_path(CAF_INCLUDE caf/all.hpp REQUIRED)
  find_library(CAF_CORE caf_core REQUIRED)
  add_library(caf::core UNKNOWN IMPORTED)
  set_target_properties(caf::core PROPERTIES IMPORTED_LOCATION ${CAF_CORE}
                        INTERFACE_INCLUDE_DIRECTORIES ${CAF_INCLUDE})
endif()
