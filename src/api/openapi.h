#pragma once

#include <string_view>

namespace meterline::api {

/// src/api/openapi.json, as cmake/OpenApi.cmake put it into the program: the document of every
/// route that `meterline serve` has. JSON.
std::string_view openapi_text();

}  // namespace meterline::api
