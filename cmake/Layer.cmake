# meterline_layer(<name> [SOURCES ...] [DEPS ...] [PRIVATE_DEPS ...]
#                 [TESTS ...] [TEST_DEPS ...] [BENCHES ...] [BENCH_DEPS ...] [FUZZERS ...])
#
# Defines meterline::<name> from the current folder; without SOURCES it is header-only.
# TESTS become one executable, <name>_test, whose cases ctest lists one by one, but for those
# that need a cluster: their names end in /cassandra, and meterline_live_test() runs them. They run
# in the project's folder and name its files from there: a folder that stood in compile commands
# would make ccache compile everything again for each clone.
# BENCHES become one executable, <name>_bench (built on demand: `ninja <name>_bench`).
# Each of FUZZERS becomes an executable of its own in the fuzz preset.
add_library(meterline_warnings INTERFACE)
target_compile_options(meterline_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wcast-qual -Wmissing-declarations -Wno-missing-field-initializers -Werror)

function(meterline_layer name)
  cmake_parse_arguments(L "" ""
    "SOURCES;DEPS;PRIVATE_DEPS;TESTS;TEST_DEPS;BENCHES;BENCH_DEPS;FUZZERS" ${ARGN})
  if(L_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "meterline_layer(${name}): unknown arguments: ${L_UNPARSED_ARGUMENTS}")
  endif()
  set(target meterline_${name})
  set(scope INTERFACE)
  if(L_SOURCES)
    set(scope PUBLIC)
    add_library(${target} STATIC ${L_SOURCES})
    target_link_libraries(${target} PRIVATE meterline_warnings ${L_PRIVATE_DEPS})
  else()
    add_library(${target} INTERFACE)
  endif()
  add_library(meterline::${name} ALIAS ${target})
  target_include_directories(${target} ${scope} ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${target} ${scope} ${L_DEPS})

  if(BUILD_TESTING AND L_TESTS)
    add_executable(${name}_test ${L_TESTS})
    target_link_libraries(${name}_test PRIVATE
      meterline::${name} ${L_TEST_DEPS} meterline_warnings rapidcheck rapidcheck_gtest
      GTest::gmock GTest::gtest_main)
    if(METERLINE_SANITIZE)
      # What is tested is instrumented in full. The tests themselves are mostly what GoogleTest's
      # macros expand to, and take half as long to compile so.
      target_compile_options(${name}_test PRIVATE -O0 -g0
        -fno-sanitize=null,alignment,vptr,object-size)
    endif()
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}: TEST_FILTER -*/cassandra
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} DISCOVERY_TIMEOUT 60
      PROPERTIES LABELS unit TIMEOUT 300)
  endif()
  if(L_BENCHES AND benchmark_FOUND)
    add_executable(${name}_bench EXCLUDE_FROM_ALL ${L_BENCHES})
    target_link_libraries(${name}_bench PRIVATE
      meterline::${name} ${L_BENCH_DEPS} meterline_warnings benchmark::benchmark_main)
  endif()
  if(METERLINE_FUZZ)
    foreach(source IN LISTS L_FUZZERS)
      get_filename_component(fuzzer ${source} NAME_WE)
      add_executable(${fuzzer} ${source})
      target_link_libraries(${fuzzer} PRIVATE meterline::${name} ${L_TEST_DEPS} meterline_warnings)
      target_link_options(${fuzzer} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()

# meterline_live_test(<name> [<option>...] <command>...)
#
# A ctest that runs a command beside a node of Apache Cassandra; the options are those of
# tests/with_cassandra.py.
function(meterline_live_test name)
  add_test(NAME ${name} COMMAND
    ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/with_cassandra.py ${ARGN})
  # They wait for a node: begun first, they do so beside the tests that compute.
  set_tests_properties(${name} PROPERTIES LABELS live TIMEOUT 1200 COST 1000)
endfunction()
