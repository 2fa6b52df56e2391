# meterline::drivers: the Rust crate in drivers/, built by cargo. Its headers are
# <meterline_drivers.h> for the CQL driver, <meterline_aws.h> for the AWS SDK, and
# <meterline_tables.h> for Parquet and Arrow.
#
# All build folders and clones of a user share one folder of compiled crates, so that each of them
# compiles only our own crate again. For that, what cargo compiles with is the same for all:
# neither flags nor compilers of the preset reach it.
set(METERLINE_RUST_MIN 1.94.1)
if(DEFINED ENV{XDG_CACHE_HOME})
  set(cache_dir $ENV{XDG_CACHE_HOME})
else()
  set(cache_dir $ENV{HOME}/.cache)
endif()
set(METERLINE_CARGO_DIR ${cache_dir}/meterline/cargo CACHE PATH
  "Where cargo keeps compiled crates, for all build folders")

find_program(CARGO cargo HINTS $ENV{HOME}/.cargo/bin)
find_program(RUSTC rustc HINTS $ENV{HOME}/.cargo/bin)
set(without_rust "scripts/install-deps.sh installs it; -DMETERLINE_CLOUD=OFF builds without \
AWS and the stores on Cassandra, ScyllaDB and Amazon Keyspaces")
if(NOT CARGO OR NOT RUSTC)
  message(FATAL_ERROR "cargo and rustc ${METERLINE_RUST_MIN} or later are needed: ${without_rust}")
endif()
execute_process(COMMAND ${RUSTC} --version OUTPUT_VARIABLE rust_version COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" rust_version "${rust_version}")
if(rust_version VERSION_LESS METERLINE_RUST_MIN)
  message(FATAL_ERROR
    "${RUSTC} is ${rust_version}, wanted ${METERLINE_RUST_MIN} or later: ${without_rust}")
endif()

set(drivers_out ${CMAKE_BINARY_DIR}/drivers)
set(drivers_library ${drivers_out}/libmeterline_drivers.a)
set(drivers_headers ${drivers_out}/include)
file(MAKE_DIRECTORY ${drivers_headers})
file(GLOB_RECURSE drivers_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/drivers/src/*.rs)
set(run_cargo ${CMAKE_COMMAND} -DCARGO=${CARGO} -DCRATE=${CMAKE_SOURCE_DIR}/drivers
  -DTARGET_DIR=${METERLINE_CARGO_DIR})
add_custom_command(
  OUTPUT ${drivers_library}
  BYPRODUCTS ${drivers_headers}/meterline_drivers.h ${drivers_headers}/meterline_aws.h
    ${drivers_headers}/meterline_tables.h
  COMMAND ${run_cargo} -DVERB=build -DSTRIP=${CMAKE_STRIP}
    -DLIBRARY=${drivers_library} -DHEADERS=${drivers_headers}
    -P ${CMAKE_SOURCE_DIR}/cmake/Cargo.cmake
  DEPENDS ${drivers_sources} ${CMAKE_SOURCE_DIR}/drivers/build.rs
    ${CMAKE_SOURCE_DIR}/drivers/Cargo.toml ${CMAKE_SOURCE_DIR}/drivers/Cargo.lock
    ${CMAKE_SOURCE_DIR}/cmake/Cargo.cmake
  COMMENT "Building the drivers with cargo (the first time on a machine takes minutes)"
  USES_TERMINAL VERBATIM)
add_custom_target(meterline_drivers_build DEPENDS ${drivers_library})

add_library(meterline::drivers STATIC IMPORTED GLOBAL)
add_dependencies(meterline::drivers meterline_drivers_build)
set_target_properties(meterline::drivers PROPERTIES
  IMPORTED_LOCATION ${drivers_library}
  INTERFACE_INCLUDE_DIRECTORIES ${drivers_headers}
  INTERFACE_LINK_OPTIONS -Wl,--gc-sections
  INTERFACE_LINK_LIBRARIES "Threads::Threads;zstd::libzstd_shared;${CMAKE_DL_LIBS};m")

if(BUILD_TESTING)
  add_test(NAME drivers
    COMMAND ${run_cargo} -DVERB=test -P ${CMAKE_SOURCE_DIR}/cmake/Cargo.cmake)
  # The longest of all where cargo has to compile for it: begun first.
  set_tests_properties(drivers PROPERTIES LABELS unit TIMEOUT 1800 COST 2000)
endif()
