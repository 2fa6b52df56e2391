# Every library from outside, in one place. All come from Debian packages
# (scripts/install-deps.sh); nothing is fetched.
find_package(Threads REQUIRED)
find_package(tl-expected REQUIRED)
find_package(fmt REQUIRED)
find_package(absl REQUIRED)
# Static, as time zones are a small part of it, whose libraries would each cost a start its time.
foreach(library base civil_time int128 log_severity raw_logging_internal spinlock_wait strings
        strings_internal throw_delegate time time_zone)
  find_library(METERLINE_ABSL_${library} libabsl_${library}.a REQUIRED)
  set_target_properties(absl::${library} PROPERTIES
    IMPORTED_LOCATION_NONE ${METERLINE_ABSL_${library}})
endforeach()
# Static: half a megabyte that only one format uses is no library more for each start.
find_library(METERLINE_EXPAT libexpat.a REQUIRED)

if(NOT METERLINE_FUZZ)
  find_package(RocksDB REQUIRED)
  find_package(CLI11 REQUIRED)
  find_package(Boost 1.81 REQUIRED CONFIG)  # Not CMake's own module, which is going away.
  find_package(OpenSSL REQUIRED)
  find_package(ZLIB REQUIRED)
  find_package(zstd REQUIRED CONFIG)  # Not the module that comes with RocksDB.
  find_package(LibArchive REQUIRED)
  find_package(BZip2 REQUIRED)
  find_package(LibLZMA REQUIRED)
  # Static, so that only its reader of zip comes along: the shared library needs libxml2, and that
  # 31 MB of ICU's tables, which every image would hold and every start would load.
  find_library(METERLINE_LIBARCHIVE libarchive.a REQUIRED)
  find_library(METERLINE_NETTLE nettle REQUIRED)
  set_target_properties(LibArchive::LibArchive PROPERTIES
    IMPORTED_LOCATION ${METERLINE_LIBARCHIVE})
  target_link_libraries(LibArchive::LibArchive INTERFACE
    BZip2::BZip2 LibLZMA::LibLZMA ZLIB::ZLIB zstd::libzstd_shared ${METERLINE_NETTLE})
  find_package(prometheus-cpp REQUIRED)
endif()
if(METERLINE_CLOUD AND NOT METERLINE_FUZZ)
  include(Drivers)
endif()
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  include(GoogleTest)
endif()
find_package(benchmark QUIET)
