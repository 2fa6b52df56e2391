// Groups: named lists of meters, which questions about all meters can be about.

#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <utility>
#include <vector>

#include "access/groups.h"
#include "api/question.h"
#include "core/json.h"
#include "core/try.h"

namespace meterline::api {
namespace {

/// Of a list by HTTP; a longer one is put into the folder of groups.
constexpr std::size_t body_bytes_max = 16 << 20;

tl::unexpected<Error> bad_body(std::string_view why) {
  return fail(Errc::invalid_argument,
              fmt::format(R"(the body: want JSON like {{"meters":["EE00027","EE1*"]}}: {})", why));
}

Result<MeterFilter> parse_members(std::string_view body) {
  const auto value = parse_json(body, body_bytes_max);
  if (!value) return bad_body(value.error().message);
  const auto* const object = value->if_object();
  if (object == nullptr) return bad_body("it is no object");
  const auto* const member = object->if_contains("meters");
  const auto* const list = member == nullptr ? nullptr : member->if_array();
  if (list == nullptr || object->size() > 1) return bad_body("want `meters`, a list, and no more");
  if (list->empty()) return bad_body("`meters` is empty; DELETE removes a group");
  std::vector<std::string> patterns;
  patterns.reserve(list->size());
  for (const auto& each : *list) {
    const auto* const text = each.if_string();
    if (text == nullptr) return bad_body(fmt::format("`meters[{}]` is no text", patterns.size()));
    patterns.emplace_back(text->data(), text->size());
  }
  auto meters = MeterFilter::parse(patterns, access::group_patterns_max);
  if (!meters) return bad_body(meters.error().message);
  return meters;
}

Result<const access::Groups*> groups_of(const Call& call) {
  if (call.context.groups != nullptr) return call.context.groups;
  return fail(Errc::not_found, "this server knows no groups");
}

/// The one that the path names.
Result<NamedGroup> read_group(const access::Groups& groups, const std::string& name) {
  METERLINE_TRY(auto group, groups.find(name));
  return NamedGroup{.name = name, .group = std::move(group)};
}

}  // namespace

Result<std::vector<NamedGroup>> all_groups(const access::Groups& groups) {
  METERLINE_TRY(const auto names, groups.names());
  std::vector<NamedGroup> all;
  all.reserve(names.size());
  for (const auto& name : names) {
    auto group = groups.find(name);
    if (!group && group.error().code == Errc::not_found) continue;  // Somebody removed it just now.
    all.push_back({.name = name, .group = std::move(group)});
  }
  return all;
}

Result<Response> get_groups(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_CHECK(call.parameters.allow_only({}));
  METERLINE_TRY(const auto* const groups, groups_of(call));
  METERLINE_TRY(const auto all, all_groups(*groups));
  return *format == Format::csv ? csv_response(groups_csv(all)) : json_response(groups_json(all));
}

Result<Response> get_group(const Call& call) {
  const auto format = negotiate(call.request);
  if (!format) return not_acceptable();
  METERLINE_CHECK(call.parameters.allow_only({}));
  METERLINE_TRY(const auto* const groups, groups_of(call));
  METERLINE_TRY(const auto group, groups->find(call.captured.front()));
  return *format == Format::csv ? csv_response(group_csv(*group))
                                : json_response(group_json(call.captured.front(), *group));
}

Result<Response> post_group(const Call& call) {
  METERLINE_CHECK(call.parameters.allow_only({}));
  METERLINE_TRY(const auto* const groups, groups_of(call));
  if (call.request.body_bytes > body_bytes_max)
    return bad_body(fmt::format("it has {} bytes, at most {} are taken", call.request.body_bytes,
                                body_bytes_max));
  if (call.request.body_is_to_come) return Response{.status = 100};
  METERLINE_TRY(const auto body, read_body(call.request));
  METERLINE_TRY(const auto meters, parse_members(body));
  const auto& name = call.captured.front();
  METERLINE_CHECK(groups->set(name, meters));
  METERLINE_TRY(const auto group, read_group(*groups, name));
  return json_response(to_json(group));
}

Result<Response> delete_group(const Call& call) {
  METERLINE_CHECK(call.parameters.allow_only({}));
  METERLINE_TRY(const auto* const groups, groups_of(call));
  METERLINE_CHECK(groups->remove(call.captured.front()));
  return Response{.status = 204, .content_type = "", .body = {}};
}

}  // namespace meterline::api
