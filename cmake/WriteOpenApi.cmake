# cmake -DOUT=FILE -DOPENAPI=FILE -P WriteOpenApi.cmake
# Its indentation, a fourth of it, stays behind.
file(READ ${OPENAPI} json)
string(REGEX REPLACE "\n +" "\n" json "${json}")
string(CONCAT text
  "// Made of src/api/openapi.json.\n"
  "#include \"api/openapi.h\"\n\nnamespace meterline::api {\n\n"
  "std::string_view openapi_text() { return R\"json(${json})json\"; }\n\n"
  "}  // namespace meterline::api\n")
file(WRITE ${OUT} "${text}")
