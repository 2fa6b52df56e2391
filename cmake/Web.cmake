# METERLINE_PAGE_SOURCE: a C++ source with the files of the page in web/, packed, so that the
# program needs no folder of them to run. npm fetches the parts that web/package-lock.json names,
# once for each of its contents.
set(METERLINE_PAGE_SOURCE ${PROJECT_BINARY_DIR}/generated/page_files.cc)
if(NOT METERLINE_WEB)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/NoPage.cc.in ${METERLINE_PAGE_SOURCE} COPYONLY)
  return()
endif()
find_program(NODE NAMES node nodejs)
find_program(NPM npm)
if(NOT NODE OR NOT NPM)
  message(FATAL_ERROR "node and npm are needed to build the page: scripts/install-deps.sh installs \
them; -DMETERLINE_WEB=OFF builds without the page")
endif()
set(web ${PROJECT_SOURCE_DIR}/web)
file(GLOB METERLINE_PAGE_FILES CONFIGURE_DEPENDS ${web}/src/*)
add_custom_command(
  OUTPUT ${METERLINE_PAGE_SOURCE}
  COMMAND ${CMAKE_COMMAND} -DNODE=${NODE} -DNPM=${NPM} -DWEB=${web} -DOUT=${METERLINE_PAGE_SOURCE}
          -P ${PROJECT_SOURCE_DIR}/cmake/BuildPage.cmake
  DEPENDS ${METERLINE_PAGE_FILES} ${web}/build.mjs ${web}/package-lock.json
          ${PROJECT_SOURCE_DIR}/cmake/BuildPage.cmake
  COMMENT "Building the page"
  VERBATIM)
