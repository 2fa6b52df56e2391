# A script that runs cargo on the crate in the folder CRATE:
#   cmake -DVERB=build -DCARGO= -DCRATE= -DTARGET_DIR= -DSTRIP= -DLIBRARY= -DHEADERS= -P Cargo.cmake
#     builds it in TARGET_DIR, and copies what cargo made to LIBRARY and into HEADERS;
#   cmake -DVERB=test -DCARGO= -DCRATE= -DTARGET_DIR= -P Cargo.cmake
#     runs its tests, and the formatter and the linter as checks where the toolchain has them.
cmake_minimum_required(VERSION 3.25)

# Flags and compilers are part of what cargo compares: the same for all, it compiles once for all.
foreach(variable CC CXX AR CPPFLAGS LDFLAGS CARGO_ENCODED_RUSTFLAGS)
  unset(ENV{${variable}})
endforeach()
if(DEFINED ENV{CARGO_HOME})
  set(cargo_home $ENV{CARGO_HOME})
else()
  set(cargo_home $ENV{HOME}/.cargo)
endif()
# No path of the machine in messages of the program.
set(ENV{RUSTFLAGS} "--remap-path-prefix=${cargo_home}=/cargo")
set(ENV{CFLAGS} "-ffile-prefix-map=${cargo_home}=/cargo")
set(ENV{CXXFLAGS} "-ffile-prefix-map=${cargo_home}=/cargo")
set(ENV{CARGO_TARGET_DIR} ${TARGET_DIR})
# The crate `zstd` takes the library that the program links anyway.
set(ENV{ZSTD_SYS_USE_PKG_CONFIG} 1)

function(cargo)
  execute_process(COMMAND ${CARGO} ${ARGN} WORKING_DIRECTORY ${CRATE} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "cargo ${command} failed in ${CRATE}; its messages are above")
  endif()
endfunction()

# Sets `result` to whether the toolchain has a subcommand.
function(has_subcommand name result)
  execute_process(COMMAND ${CARGO} ${name} --version
    RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
  if(code EQUAL 0)
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

function(build)
  # Other clones build a crate of this name in the same folder.
  file(MAKE_DIRECTORY ${TARGET_DIR})
  file(LOCK ${TARGET_DIR}/meterline.lock GUARD FUNCTION)
  execute_process(
    COMMAND ${CARGO} build --release --locked --message-format=json-render-diagnostics
    WORKING_DIRECTORY ${CRATE} OUTPUT_VARIABLE messages RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "cargo build failed in ${CRATE}; its messages are above")
  endif()
  # Clones have build folders of their own, but one name for the archive: hence the lock.
  if(NOT messages MATCHES "\"out_dir\":\"([^\"]*/meterline_drivers-[^\"]*)\"")
    message(FATAL_ERROR "cargo did not name the build folder of meterline_drivers")
  endif()
  set(bridges ${CMAKE_MATCH_1}/cxxbridge/include/meterline_drivers/src)
  if(NOT messages MATCHES "\"([^\"]*/libmeterline_drivers\\.a)\"")
    message(FATAL_ERROR "cargo did not name libmeterline_drivers.a")
  endif()
  file(COPY_FILE ${CMAKE_MATCH_1} ${LIBRARY}.new)
  execute_process(COMMAND ${STRIP} --strip-debug ${LIBRARY}.new COMMAND_ERROR_IS_FATAL ANY)
  file(RENAME ${LIBRARY}.new ${LIBRARY})
  # What includes it is compiled again only when it changed.
  file(COPY_FILE ${bridges}/lib.rs.h ${HEADERS}/meterline_drivers.h ONLY_IF_DIFFERENT)
  file(COPY_FILE ${bridges}/aws/bridge.rs.h ${HEADERS}/meterline_aws.h ONLY_IF_DIFFERENT)
  file(COPY_FILE ${bridges}/tables.rs.h ${HEADERS}/meterline_tables.h ONLY_IF_DIFFERENT)
endfunction()

if(VERB STREQUAL "build")
  build()
elseif(VERB STREQUAL "test")
  has_subcommand(fmt has_fmt)
  if(has_fmt)
    cargo(fmt --check)
  endif()
  has_subcommand(clippy has_clippy)
  if(has_clippy)
    cargo(clippy --release --locked --all-targets -- -D warnings)
  endif()
  cargo(test --release --locked)
else()
  message(FATAL_ERROR "VERB is build or test")
endif()
