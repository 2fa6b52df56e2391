# METERLINE_OPENAPI_SOURCE: a C++ source with the text of src/api/openapi.json.
set(METERLINE_OPENAPI_SOURCE ${PROJECT_BINARY_DIR}/generated/openapi_text.cc)
set(openapi ${PROJECT_SOURCE_DIR}/src/api/openapi.json)
add_custom_command(
  OUTPUT ${METERLINE_OPENAPI_SOURCE}
  COMMAND ${CMAKE_COMMAND} -DOUT=${METERLINE_OPENAPI_SOURCE} -DOPENAPI=${openapi}
          -P ${PROJECT_SOURCE_DIR}/cmake/WriteOpenApi.cmake
  DEPENDS ${openapi} ${PROJECT_SOURCE_DIR}/cmake/WriteOpenApi.cmake
  VERBATIM)
