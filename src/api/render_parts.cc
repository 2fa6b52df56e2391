#include "api/render_parts.h"

#include "core/text.h"

namespace meterline::api {
namespace {

void write_basis(JsonWriter& json, const query::Total& total) {
  json.member("readings", total.readings).member("expected", total.expected);
  write_quality(json, total.quality);
  write_version(json, total.version);
}

}  // namespace

void write_quality(JsonWriter& json, const store::QualityCounts& quality) {
  json.key("quality")
      .begin_object()
      .member("actual", quality.actual)
      .member("substituted", quality.substituted)
      .member("estimated", quality.estimated)
      .member("missing", quality.missing)
      .end_object();
}

void write_version(JsonWriter& json, const std::optional<Version>& version) {
  if (!version) {
    json.member("version", std::optional<std::string>());
    return;
  }
  json.key("version")
      .begin_object()
      .member("stated", version->stated.text())
      .member("received", version->received.text())
      .end_object();
}

std::optional<std::string_view> known(Unit unit) {
  if (unit == Unit::unknown) return std::nullopt;
  return text_of(unit);
}

void write_dates(JsonWriter& json, const DateRange& dates) {
  json.member("from", dates.from.text()).member("to", dates.to.text());
}

void write_as_of(JsonWriter& json, const std::optional<Instant>& as_of) {
  json.member("asOf", as_of ? std::optional(as_of->text()) : std::nullopt);
}

void write_question(JsonWriter& json, const DateRange& dates, query::Resolution resolution,
                    const std::optional<Instant>& as_of) {
  write_dates(json, dates);
  json.member("resolution", query::text_of(resolution));
  write_as_of(json, as_of);
}

std::optional<std::string_view> known(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

void write_channel(JsonWriter& json, const Channel& channel) {
  json.member("channel", channel.name)
      .member("flow", text_of(channel.flow))
      .member("unit", known(channel.unit));
}

void write_total(JsonWriter& json, const query::Total& total) {
  json.member("sum", total.sum);
  write_basis(json, total);
}

void write_total(JsonWriter& json, std::string_view name,
                 const std::optional<query::Total>& total) {
  if (!total) {
    json.member(name, std::optional<std::string>());
    return;
  }
  json.key(name).begin_object();
  write_total(json, *total);
  json.end_object();
}

void write_total(JsonWriter& json, const query::PortfolioTotal& all) {
  json.member("sum", all.total.sum)
      .member("average", all.average)
      .member("meters", all.meters)
      .member("metersIncomplete", all.meters_incomplete);
  write_basis(json, all.total);
}

void append_row(std::string& out, std::initializer_list<std::string_view> fields) {
  bool first = true;
  for (const auto field : fields) {
    if (!first) out += ',';
    append_csv_field(out, field);
    first = false;
  }
  out += '\n';
}

void append_fields(std::string& out, std::initializer_list<std::string_view> fields) {
  append_row(out, fields);
  out.back() = ',';
}

void append_basis(std::string& out, const query::Total& total) {
  append_row(out, {std::to_string(total.readings), std::to_string(total.expected),
                   std::to_string(total.quality.actual), std::to_string(total.quality.substituted),
                   std::to_string(total.quality.estimated), std::to_string(total.quality.missing),
                   total.version ? total.version->stated.text() : "",
                   total.version ? total.version->received.text() : ""});
}

}  // namespace meterline::api
