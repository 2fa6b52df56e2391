# A script that fetches the parts of the page and builds it:
#   cmake -DNODE= -DNPM= -DWEB=FOLDER -DOUT=FILE -P BuildPage.cmake
cmake_minimum_required(VERSION 3.25)

# Other build folders of this clone use the same parts.
file(LOCK ${WEB}/.lock GUARD PROCESS)
set(taken ${WEB}/node_modules/taken-from.json)
file(SHA256 ${WEB}/package-lock.json wanted)
set(has "")
if(EXISTS ${taken})
  file(SHA256 ${taken} has)
endif()
if(NOT has STREQUAL wanted)
  execute_process(
    COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    WORKING_DIRECTORY ${WEB} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "npm cannot fetch the parts of the page: look at the network, or build \
without it (-DMETERLINE_WEB=OFF)")
  endif()
  file(COPY_FILE ${WEB}/package-lock.json ${taken})
endif()
execute_process(COMMAND ${NODE} ${WEB}/build.mjs ${OUT} COMMAND_ERROR_IS_FATAL ANY)
