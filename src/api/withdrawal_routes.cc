#include <fmt/core.h>

#include <boost/json/object.hpp>

#include "api/question.h"
#include "api/render.h"
#include "api/routes.h"
#include "core/json.h"
#include "core/try.h"
#include "ingest/withdrawal.h"

namespace meterline::api {
namespace {

/// Far above what who and reason may have, however they are escaped.
constexpr std::size_t body_bytes_max = 16 << 10;
/// Where there is no login that would know who it is.
constexpr std::string_view who_default = "http";

constexpr std::string_view wanted_body =
    R"(the body: want JSON like {"reason":"sent twice","who":"ann"}; who may be left out)";

tl::unexpected<Error> bad_body(std::string_view why) {
  return fail(Errc::invalid_argument, fmt::format("{}: {}", wanted_body, why));
}

Result<void> check_length(std::uint64_t bytes) {
  if (bytes <= body_bytes_max) return {};
  return bad_body(fmt::format("it has {} bytes, at most {} are taken", bytes, body_bytes_max));
}

struct Said {
  std::string who;
  std::string reason;
};

Result<Said> parse_body(std::string_view body) {
  if (body.empty()) return bad_body("there is none");
  const auto value = parse_json(body, body_bytes_max);
  if (!value) return bad_body(value.error().message);
  const auto* const object = value->if_object();
  if (object == nullptr) return bad_body("it is no object");
  Said said;
  for (const auto& [name, member] : *object) {
    const auto* const text = member.if_string();
    if ((name != "who" && name != "reason") || text == nullptr)
      return bad_body(fmt::format("\"{}\"", excerpt_of(std::string_view(name))));
    (name == "who" ? said.who : said.reason) = std::string_view(text->data(), text->size());
  }
  return said;
}

std::optional<std::string> parse_text(std::string_view text) { return std::string(text); }

/// Where somebody logged in, that is who it was, whatever else he says.
std::string who_of(const Call& call, std::string said) {
  if (call.caller == nullptr) return said.empty() ? std::string(who_default) : std::move(said);
  return said.empty() ? call.caller->who : fmt::format("{} ({})", call.caller->who, said);
}

Result<Response> change(const Call& call, DeliveryEventKind kind, Said said) {
  const auto id = DeliveryId::parse(call.captured.front());
  if (!id)
    return fail(Errc::not_found, fmt::format("no delivery \"{}\": /v1/deliveries lists them",
                                             excerpt_of(call.captured.front())));
  METERLINE_TRY(const auto answer,
                ingest::withdraw(call.context.store, {.delivery = *id,
                                                      .kind = kind,
                                                      .now = call.context.now(),
                                                      .who = who_of(call, std::move(said.who)),
                                                      .reason = std::move(said.reason)}));
  return json_response(withdrawal_json(answer));
}

}  // namespace

Result<Response> post_withdrawal(const Call& call) {
  METERLINE_CHECK(call.parameters.allow_only({}));
  METERLINE_CHECK(check_length(call.request.body_bytes));
  if (call.request.body_is_to_come) return Response{.status = 100};
  METERLINE_TRY(const auto body, read_body(call.request));
  METERLINE_TRY(auto said, parse_body(body));
  return change(call, DeliveryEventKind::withdrawn, std::move(said));
}

/// A DELETE has no body that every proxy would let through (RFC 9110, 9.3.5).
Result<Response> delete_withdrawal(const Call& call) {
  METERLINE_CHECK(call.parameters.allow_only({"who", "reason"}));
  METERLINE_TRY(auto who, call.parameters.find_as("who", "a name", parse_text));
  METERLINE_TRY(auto reason, call.parameters.find_as("reason", "a text", parse_text));
  return change(call, DeliveryEventKind::restored,
                {.who = std::move(who).value_or(""), .reason = std::move(reason).value_or("")});
}

}  // namespace meterline::api
