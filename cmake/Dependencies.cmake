# Every library from outside, in one place. All come from Debian packages
# (scripts/install-deps.sh); nothing is fetched.
find_package(Threads REQUIRED)
find_package(tl-expected REQUIRED)
find_package(fmt REQUIRED)

if(NOT METERLINE_FUZZ)
  find_package(spdlog REQUIRED)
  find_package(RocksDB REQUIRED)
  find_package(CLI11 REQUIRED)
  find_package(Boost 1.81 REQUIRED)
  find_package(OpenSSL REQUIRED)
  find_package(ZLIB REQUIRED)
  find_package(zstd REQUIRED CONFIG)  # Not the module that comes with RocksDB.
  find_package(LibArchive REQUIRED)
  find_package(prometheus-cpp REQUIRED)
endif()
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  include(GoogleTest)
endif()
find_package(benchmark QUIET)
