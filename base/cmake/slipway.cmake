# What every room shares: warnings, sanitizers, the libraries, and the one function that makes a room.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(civetweb REQUIRED)
find_package(EXPAT REQUIRED)
find_package(LibArchive REQUIRED)
find_package(date REQUIRED)
pkg_check_modules(libyaml REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(libsodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(libgit2 REQUIRED IMPORTED_TARGET libgit2)
pkg_check_modules(cjose REQUIRED IMPORTED_TARGET cjose)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(libpq REQUIRED libpq)
pkg_check_modules(libzstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)

# Warnings and sanitizers for our own code only: linked PRIVATE by every room.
add_library(slipway_warnings INTERFACE)
target_compile_options(slipway_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow
  -Wnon-virtual-dtor -Woverloaded-virtual -Wno-missing-field-initializers
  # GCC 12 sees overlapping copies in std::string where there are none (GCC bug 105651).
  $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-Wno-restrict>
  $<$<BOOL:${SLIPWAY_WERROR}>:-Werror>)
if(SLIPWAY_SANITIZE)
  # Not vptr: it wants the type information of SOCI's classes, which the library keeps to itself.
  # Undefined behaviour ends the program, since a test that only prints it passes.
  add_compile_options(-fsanitize=${SLIPWAY_SANITIZE} -fno-sanitize=vptr
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS)
  add_link_options(-fsanitize=${SLIPWAY_SANITIZE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# One room = one folder = one static library. USES are our rooms and the only headers of ours that
# it may include; VENDOR libraries stay private to it. The lists are the architecture diagram.
function(slipway_room folder)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;VENDOR" ${ARGN})
  string(REPLACE "/" "_" name slipway_${folder})
  list(TRANSFORM ROOM_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/${folder}/)
  list(TRANSFORM ROOM_USES REPLACE "/" "_")
  list(TRANSFORM ROOM_USES PREPEND slipway_)
  add_library(${name} STATIC ${ROOM_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ROOM_USES} nlohmann_json::nlohmann_json spdlog::spdlog
    PRIVATE slipway_warnings ${ROOM_VENDOR})
endfunction()

# A Catch2 program. Debian 12 has Catch2 2.13 and Debian 13 has 3: tests/support/catch.h hides it.
# With BOTH_STORES it runs a second time, with its databases in PostgreSQL.
function(slipway_test name)
  cmake_parse_arguments(TEST "BOTH_STORES" "" "SOURCES;USES;VENDOR;LABELS" ${ARGN})
  list(TRANSFORM TEST_USES REPLACE "/" "_")
  list(TRANSFORM TEST_USES PREPEND slipway_)
  add_executable(${name} ${TEST_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${TEST_USES} slipway_catch slipway_warnings ${TEST_VENDOR})
  add_test(NAME ${name} COMMAND ${name} --order rand --warn NoAssertions
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS "${TEST_LABELS}"
    ENVIRONMENT "SLIPWAY_BINARY=$<TARGET_FILE:slipway>;SLIPWAY_SOURCE=${PROJECT_SOURCE_DIR}")
  if(TEST_BOTH_STORES)
    add_test(NAME ${name}.postgresql
      COMMAND ${PROJECT_SOURCE_DIR}/tests/environment/with_postgresql $<TARGET_FILE:${name}>
        "~[sqlite],[postgresql]" --order rand --warn NoAssertions
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name}.postgresql PROPERTIES TIMEOUT 600 LABELS "${TEST_LABELS};postgresql"
      ENVIRONMENT "SLIPWAY_BINARY=$<TARGET_FILE:slipway>;SLIPWAY_SOURCE=${PROJECT_SOURCE_DIR}")
  endif()
endfunction()
