#include <cstdint>

#include "api/render.h"
#include "api/render_parts.h"

namespace meterline::api {
namespace {

/// How many meters a group names, and how many beginnings.
struct Counts {
  std::int64_t ids = 0;
  std::int64_t prefixes = 0;

  explicit Counts(const MeterFilter& meters) {
    for (const auto& part : meters.parts()) ++(part.is_prefix ? prefixes : ids);
  }
};

std::string pattern_of(const MeterFilter::Part& part) {
  return part.is_prefix ? part.text + '*' : part.text;
}

void write_group(JsonWriter& json, const NamedGroup& named) {
  json.begin_object().member("group", std::string_view(named.name));
  if (named.group) {
    const Counts counts((*named.group)->meters);
    json.member("ids", counts.ids)
        .member("prefixes", counts.prefixes)
        .member("changed", std::string_view((*named.group)->changed_at.text()));
  } else {
    json.member("fault", std::string_view(named.group.error().message));
  }
  json.end_object();
}

}  // namespace

std::string to_json(const NamedGroup& named) {
  JsonWriter json;
  write_group(json, named);
  return json.take();
}

std::string groups_json(const std::vector<NamedGroup>& groups) {
  JsonWriter json;
  json.begin_object().key("groups").begin_array();
  for (const auto& named : groups) write_group(json, named);
  return json.end_array().end_object().take();
}

std::string groups_csv(const std::vector<NamedGroup>& groups) {
  std::string out = "group,ids,prefixes,changed,fault\n";
  for (const auto& named : groups) {
    if (!named.group) {
      append_row(out, {named.name, "", "", "", named.group.error().message});
      continue;
    }
    const Counts counts((*named.group)->meters);
    append_row(out, {named.name, std::to_string(counts.ids), std::to_string(counts.prefixes),
                     (*named.group)->changed_at.text(), ""});
  }
  return out;
}

std::string group_json(std::string_view name, const access::Group& group) {
  JsonWriter json;
  json.begin_object().member("group", name);
  json.member("changed", std::string_view(group.changed_at.text())).key("meters").begin_array();
  for (const auto& part : group.meters.parts()) json.value(std::string_view(pattern_of(part)));
  return json.end_array().end_object().take();
}

std::string group_csv(const access::Group& group) {
  std::string out = "meter\n";
  for (const auto& part : group.meters.parts()) append_row(out, {pattern_of(part)});
  return out;
}

}  // namespace meterline::api
