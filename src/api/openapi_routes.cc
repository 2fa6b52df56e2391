#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "api/openapi.h"
#include "api/problem.h"
#include "api/routes.h"
#include "core/json.h"
#include "core/try.h"

namespace meterline::api {
namespace {

enum class Login { none, asked_for };

/// Of a server where nobody logs in, security is no part.
std::string document_of(Login login) {
  auto document = parse_json(openapi_text(), openapi_text().size());
  if (!document || !document->is_object()) return {};
  auto& object = document->as_object();
  if (login == Login::none) {
    object.stable_erase("security");
    object["components"].as_object().stable_erase("securitySchemes");
    for (auto& path : object["paths"].as_object())
      for (auto& member : path.value().as_object())
        if (member.value().is_object()) member.value().as_object().stable_erase("security");
  }
  return boost::json::serialize(object) + '\n';
}

}  // namespace

Result<Response> get_openapi(const Call& call) {
  METERLINE_CHECK(call.parameters.allow_only({}));
  static const std::string open = document_of(Login::none);
  static const std::string closed = document_of(Login::asked_for);
  const auto* const door = call.context.door;
  return Response{.body = door == nullptr || door->is_open() ? open : closed};
}

Result<Response> get_problems(const Call& call) {
  METERLINE_CHECK(call.parameters.allow_only({}));
  return Response{.content_type = "text/html; charset=utf-8", .body = problems_page()};
}

}  // namespace meterline::api
