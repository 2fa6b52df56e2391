# Writes a C++ source with the text of every feeds/*.toml, so that the program needs no folder of
# them to run. A raw string has room for 64 KiB, more than any feed may have.
file(GLOB METERLINE_FEED_FILES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/feeds/*.toml)
list(SORT METERLINE_FEED_FILES)
set(METERLINE_FEED_SOURCES ${PROJECT_BINARY_DIR}/generated/feed_sources.cc)
add_custom_command(
  OUTPUT ${METERLINE_FEED_SOURCES}
  COMMAND ${CMAKE_COMMAND} -DOUT=${METERLINE_FEED_SOURCES} "-DFEEDS=${METERLINE_FEED_FILES}"
          -P ${PROJECT_SOURCE_DIR}/cmake/WriteFeeds.cmake
  DEPENDS ${METERLINE_FEED_FILES} ${PROJECT_SOURCE_DIR}/cmake/WriteFeeds.cmake
  VERBATIM)
