// Answers that hold sums against each other, or tell who is silent, as JSON and CSV.

#include <fmt/core.h>

#include "api/render.h"
#include "api/render_parts.h"
#include "core/json_writer.h"

namespace meterline::api {
namespace {

std::string since_text(const query::LateQuestion& question) {
  if (question.by() == query::LateBy::day) return std::get<Date>(question.since).text();
  return std::get<Instant>(question.since).text();
}

void write_bands(JsonWriter& json, const query::Tariff& tariff,
                 const std::vector<query::BandTotal>& bands) {
  json.key("bands").begin_array();
  for (std::size_t i = 0; i < bands.size(); ++i) {
    json.begin_object().member("band", std::string_view(tariff.bands()[i]));
    write_total(json, bands[i].total);
    json.member("straddling", bands[i].straddling).end_object();
  }
  json.end_array();
}

/// One of the two periods, of one meter or of all.
void write_period(JsonWriter& json, const query::CompareQuestion& question,
                  const query::PortfolioTotal& total) {
  if (question.meter)
    write_total(json, total.total);
  else
    write_total(json, total);
}

}  // namespace

std::string to_json(const query::Comparison& comparison) {
  const auto& question = comparison.question;
  JsonWriter json;
  json.begin_object();
  if (question.meter) json.member("meter", question.meter->text());
  write_dates(json, question.dates);
  json.key("against").begin_object();
  write_dates(json, question.against);
  json.end_object();
  write_as_of(json, question.as_of);
  json.key("channels").begin_array();
  for (const auto& channel : comparison.channels) {
    json.begin_object();
    write_channel(json, channel.channel);
    write_period(json, question, channel.total);
    json.key("against").begin_object();
    write_period(json, question, channel.against);
    json.end_object()
        .member("difference", channel.difference)
        .member("percent", channel.percent)
        .end_object();
  }
  return json.end_array().end_object().take();
}

std::string to_csv(const query::Comparison& comparison) {
  const auto& question = comparison.question;
  std::string out = question.meter ? "meter," : "";
  out += "channel,flow,unit,sum,readings,expected,";
  out += question.meter ? "" : "meters,";
  out += "againstSum,againstReadings,againstExpected,";
  out += question.meter ? "difference,percent\n" : "againstMeters,difference,percent\n";
  const auto append_period = [&](const query::PortfolioTotal& all) {
    append_fields(out, {text_or_empty(all.total.sum), std::to_string(all.total.readings),
                        std::to_string(all.total.expected)});
    if (!question.meter) append_fields(out, {std::to_string(all.meters)});
  };
  for (const auto& channel : comparison.channels) {
    if (question.meter) append_fields(out, {question.meter->text()});
    append_fields(
        out, {channel.channel.name, text_of(channel.channel.flow), text_of(channel.channel.unit)});
    append_period(channel.total);
    append_period(channel.against);
    append_row(out, {text_or_empty(channel.difference), text_or_empty(channel.percent)});
  }
  return out;
}

std::string to_json(const query::TimeOfUse& answer) {
  const auto& question = answer.question;
  JsonWriter json;
  json.begin_object().member("meter", question.meter.text());
  write_dates(json, question.dates);
  json.member("tariff", std::string_view(question.tariff.name()))
      .member("resolution", question.resolution.text());
  write_as_of(json, question.as_of);
  json.key("channels").begin_array();
  for (const auto& channel : answer.channels) {
    json.begin_object();
    write_channel(json, channel.channel);
    write_total(json, channel.total);
    write_bands(json, question.tariff, channel.bands);
    json.key("series").begin_array();
    for (const auto& point : channel.series) {
      json.begin_object().member("start", point.day.text());
      write_bands(json, question.tariff, point.bands);
      json.end_object();
    }
    json.end_array().end_object();
  }
  return json.end_array().end_object().take();
}

std::string to_csv(const query::TimeOfUse& answer) {
  const auto& question = answer.question;
  std::string out = "meter,channel,flow,unit,start,band,sum,straddling,";
  out += basis_header;
  const auto append_bands = [&](const Channel& channel, Date start,
                                const std::vector<query::BandTotal>& bands) {
    for (std::size_t i = 0; i < bands.size(); ++i) {
      append_fields(out, {question.meter.text(), channel.name, text_of(channel.flow),
                          text_of(channel.unit), start.text(), question.tariff.bands()[i],
                          text_or_empty(bands[i].total.sum), std::to_string(bands[i].straddling)});
      append_basis(out, bands[i].total);
    }
  };
  for (const auto& channel : answer.channels) {
    if (!question.resolution.span)
      append_bands(channel.channel, question.dates.from, channel.bands);
    for (const auto& point : channel.series) append_bands(channel.channel, point.day, point.bands);
  }
  return out;
}

std::string to_json(const query::Late& late) {
  JsonWriter json;
  json.begin_object()
      .member("since", since_text(late.question))
      .member("by", query::text_of(late.question.by()))
      .key("meters")
      .begin_array();
  for (const auto& meter : late.meters) {
    json.begin_object().member("meter", meter.meter.text()).key("channels").begin_array();
    for (const auto& known_channel : meter.channels) {
      json.begin_object();
      write_channel(json, known_channel.channel);
      json.member("last", known_channel.last.text()).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
  return json.member("next", late.next ? std::optional(late.next->text()) : std::nullopt)
      .end_object()
      .take();
}

std::string to_csv(const query::Late& late) {
  std::string out = "meter,channel,flow,unit,last\n";
  for (const auto& meter : late.meters)
    for (const auto& known_channel : meter.channels)
      append_row(
          out, {meter.meter.text(), known_channel.channel.name, text_of(known_channel.channel.flow),
                text_of(known_channel.channel.unit), known_channel.last.text()});
  return out;
}

std::string to_json(const query::BaseLoad& base) {
  const auto& question = base.question;
  JsonWriter json;
  json.begin_object().member("meter", question.meter.text());
  write_dates(json, question.dates);
  write_as_of(json, question.as_of);
  json.key("channels").begin_array();
  for (const auto& channel : base.channels) {
    json.begin_object();
    write_channel(json, channel.channel);
    json.member("base", channel.base)
        .member("baseUnit", known(query::base_unit(channel.channel.unit)))
        .member("days", question.dates.size())
        .member("complete", channel.days)
        .member("intervals", channel.intervals)
        .end_object();
  }
  return json.end_array().end_object().take();
}

std::string to_csv(const query::BaseLoad& base) {
  const auto& question = base.question;
  std::string out = "meter,channel,flow,unit,base,baseUnit,days,complete,intervals\n";
  for (const auto& channel : base.channels)
    append_row(out, {question.meter.text(), channel.channel.name, text_of(channel.channel.flow),
                     text_of(channel.channel.unit), text_or_empty(channel.base),
                     query::base_unit(channel.channel.unit), std::to_string(question.dates.size()),
                     std::to_string(channel.days), std::to_string(channel.intervals)});
  return out;
}

}  // namespace meterline::api
