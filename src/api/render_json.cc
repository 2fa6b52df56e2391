#include <fmt/core.h>

#include "api/render.h"
#include "api/render_parts.h"
#include "core/json_writer.h"

namespace meterline::api {
namespace {

/// Whether the findings themselves are shown, beside their counts.
enum class Findings { shown, left_out };

void write_days(JsonWriter& json, std::int64_t days, std::int64_t stored, std::int64_t complete) {
  json.member("days", days).member("stored", stored).member("complete", complete);
}

void write_gap(JsonWriter& json, const query::Gap& gap) {
  json.begin_object().member("kind", query::kind_of(gap));
  write_dates(json, gap.dates);
  json.member("days", gap.dates.size())
      .member("readings", gap.readings)
      .member("expected", gap.expected)
      .end_object();
}

std::optional<std::string_view> zone_of(TimeZone zone) {
  return zone.is_known() ? std::optional(zone.text()) : std::nullopt;
}

/// Left out where nothing is said.
void write_facts(JsonWriter& json, const std::optional<ChannelFacts>& facts) {
  if (!facts) return;
  json.member("serial", known(facts->serial)).member("register", known(facts->register_id));
  if (facts->sent) json.member("unitSent", text_of(*facts->sent));
}

void write_meter(JsonWriter& json, const store::MeterInfo& meter) {
  json.begin_object().member("meter", meter.meter.text()).key("channels").begin_array();
  for (const auto& info : meter.channels) {
    json.begin_object();
    write_channel(json, info.channel);
    json.member("interval", info.interval.minutes())
        .member("first", info.first.text())
        .member("last", info.last.text())
        .member("zone", zone_of(info.zone));
    write_facts(json, info.facts);
    json.end_object();
  }
  json.end_array();
  if (meter.has_reads) json.member("registerReads", true);
  json.end_object();
}

void write_counts(JsonWriter& json, std::string_view name, const RowCounts& rows) {
  json.key(name)
      .begin_object()
      .member("read", rows.read)
      .member("stored", rows.stored)
      .member("repeated", rows.repeated)
      .member("rejected", rows.rejected)
      .end_object();
}

/// Most files have no register reads, and nothing is written of them.
template <class Report>
void write_counts(JsonWriter& json, const Report& report) {
  const ReadingCounts& readings = report.readings;
  write_counts(json, "rows", report.rows);
  json.key("readings")
      .begin_object()
      .member("read", readings.read)
      .member("stored", readings.stored)
      .member("missing", readings.missing)
      .member("repeated", readings.repeated)
      .member("rejected", readings.rejected)
      .end_object();
  if (report.register_reads != RowCounts())
    write_counts(json, "registerReads", report.register_reads);
}

void write_finding_counts(JsonWriter& json, const FindingCounts& counts) {
  json.key("findingCounts").begin_object();
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] != 0) json.member(text_of(static_cast<FindingCode>(i)), counts[i]);
  json.end_object();
}

void write_findings(JsonWriter& json, const std::vector<Finding>& findings) {
  json.key("findings").begin_array();
  for (const auto& finding : findings)
    json.begin_object()
        .member("line", finding.line)
        .member("column", finding.column)
        .member("code", text_of(finding.code))
        .member("severity", text_of(kind_of(finding.code).severity))
        .member("text", finding.text)
        .member("excerpt", finding.excerpt)
        .end_object();
  json.end_array();
}

/// Of most deliveries there are none, and nothing is written.
void write_events(JsonWriter& json, const std::vector<DeliveryEvent>& events) {
  if (events.empty()) return;
  json.key("events").begin_array();
  for (const auto& event : events)
    json.begin_object()
        .member("kind", text_of(event.kind))
        .member("at", event.at.text())
        .member("who", event.who)
        .member("reason", event.reason)
        .end_object();
  json.end_array();
}

void write_compared(JsonWriter& json, std::string_view name,
                    const ingest::Comparison::Days& counts) {
  json.key(name)
      .begin_object()
      .member("new", counts.added)
      .member("replacing", counts.replacing)
      .member("notCounting", counts.not_counting)
      .member("equal", counts.equal)
      .end_object();
}

void write_comparison(JsonWriter& json, const ingest::Comparison& comparison) {
  json.key("comparison").begin_object();
  write_compared(json, "days", comparison.days);
  if (comparison.register_reads != ingest::Comparison::Days())
    write_compared(json, "registerReads", comparison.register_reads);
  json.key("sums").begin_array();
  for (const auto& sum : comparison.sums)
    json.begin_object()
        .member("flow", text_of(sum.flow))
        .member("unit", known(sum.unit))
        .member("before", sum.before)
        .member("after", sum.after)
        .end_object();
  json.end_array().end_object();
}

void write_delivery(JsonWriter& json, const store::DeliveryRecord& record, Findings findings,
                    const ingest::Comparison* comparison = nullptr) {
  const auto& delivery = record.delivery;
  const auto& report = record.report;
  json.begin_object()
      .member("id", delivery.id.text())
      .member("source", delivery.source)
      .member("state", shown_state(record))
      .member("reason", report.reason.empty() ? std::nullopt : std::optional(report.reason))
      .member("format", report.format.empty() ? std::nullopt : std::optional(report.format));
  if (!report.recognised_by.empty()) json.member("recognisedBy", report.recognised_by);
  json.member("deliveredAt", delivery.delivered_at.text())
      .member("receivedAt", delivery.received_at.text())
      .member("bytes", delivery.bytes)
      .member("sha256", hex(delivery.content.data(), delivery.content.size()))
      .member("unit", known(delivery.unit))
      .member("reader", std::int64_t{delivery.reader});
  if (!delivery.zone.empty()) json.member("zone", delivery.zone);
  if (delivery.feed)
    json.key("feed")
        .begin_object()
        .member("name", delivery.feed->name)
        .member("sha256", hex(delivery.feed->hash.data(), delivery.feed->hash.size()))
        .end_object();
  if (!delivery.object_version.empty()) json.member("objectVersion", delivery.object_version);
  write_events(json, record.events);
  write_counts(json, report);
  write_finding_counts(json, report.finding_counts);
  if (findings == Findings::shown) write_findings(json, report.findings);
  if (comparison != nullptr) write_comparison(json, *comparison);
  json.end_object();
}

/// The members of an object.
void write_note(JsonWriter& json, const Note& note) {
  json.member("flag", known(note.flag))
      .member("method", known(note.method))
      .member("reasonCode", known(note.reason_code))
      .member("reasonText", known(note.reason_text));
}

/// Left out where nothing is said.
void write_note(JsonWriter& json, std::string_view name, const Note* note) {
  if (note == nullptr) return;
  json.key(name).begin_object();
  write_note(json, *note);
  json.end_object();
}

std::optional<Sum> sum_of(const std::optional<Decimal>& reading) {
  return reading ? std::optional(Sum(reading->mantissa, reading->exponent)) : std::nullopt;
}

void write_notes(JsonWriter& json, Date date, const query::DayVersion& version) {
  json.key("notes").begin_array();
  for (const auto& run : version.notes) {
    const int minute = static_cast<int>(run.first) * version.interval.minutes();
    json.begin_object()
        .member("start", version.zone.label(date, minute))
        .member("intervals", run.end - run.first);
    write_note(json, run.note);
    json.end_object();
  }
  json.end_array();
}

void write_changes(JsonWriter& json, Date date, const query::DayVersion& version) {
  json.key("changes").begin_array();
  for (std::size_t i = 0; i < version.changes.size(); ++i) {
    const auto& change = version.changes[i];
    json.begin_object()
        .member("start", version.zone.label(date, change.minute))
        .member("before", sum_of(change.before))
        .member("after", sum_of(change.after))
        .member("qualityBefore", text_of(change.quality_before))
        .member("qualityAfter", text_of(change.quality_after));
    write_note(json, "noteBefore", note_at(version.notes_before, i));
    write_note(json, "noteAfter", note_at(version.notes_after, i));
    json.end_object();
  }
  json.end_array();
}

void write_day_version(JsonWriter& json, Date date, const query::DayVersion& version) {
  const auto& record = version.record;
  json.begin_object();
  write_version(json, version.version);
  json.member("origin", text_of(version.version.origin)).key("delivery").begin_object();
  json.member("id", version.delivery.text())
      .member("source", record ? std::optional(record->delivery.source) : std::nullopt)
      .member("state", record ? std::optional(shown_state(*record)) : std::nullopt);
  if (record) write_events(json, record->events);
  json.end_object();
  json.member("counts", version.counts)
      .member("intervalMinutes", version.interval.minutes())
      .member("zone", zone_of(version.zone));
  write_facts(json, version.facts);
  json.member("sum", version.total.sum)
      .member("readings", version.total.readings)
      .member("expected", version.total.expected);
  write_quality(json, version.total.quality);
  write_notes(json, date, version);
  write_changes(json, date, version);
  json.end_object();
}

/// The members of an object.
void write_state(JsonWriter& json, const RegisterState& state) {
  json.member("time", state.time.text())
      .member("value", sum_of(state.value))
      .member("quality", text_of(state.quality));
  write_note(json, "note", state.note.bytes() == 0 ? nullptr : &state.note);
}

void write_read(JsonWriter& json, const query::KnownRead& known_read) {
  const auto& read = known_read.read;
  json.begin_object();
  write_channel(json, read.of.channel);
  json.member("register", known(read.of.id)).member("serial", known(read.of.serial));
  write_state(json, read.current);
  if (read.previous) {
    json.key("previous").begin_object();
    write_state(json, *read.previous);
    json.end_object();
  } else {
    json.member("previous", std::optional<std::string>());
  }
  json.member("counted", sum_of(read.counted))
      .member("nextRead", read.next_read ? std::optional(read.next_read->text()) : std::nullopt);
  write_version(json, known_read.version);
  json.member("delivery", known_read.delivery.text()).end_object();
}

void write_archive(JsonWriter& json, const ingest::ArchiveReport& archive) {
  json.begin_object()
      .member("source", archive.source)
      .member("state", text_of(archive.state))
      .member("reason", archive.reason.empty() ? std::nullopt : std::optional(archive.reason))
      .member("restored", archive.restored)
      .member("skipped", archive.skipped);
  if (archive.left_out > 0) json.member("leftOut", archive.left_out);
  write_counts(json, archive);
  json.end_object();
}

void write_sweep(JsonWriter& json, const ingest::SweepCounts& counts) {
  json.key("sweep")
      .begin_object()
      .member("objects", counts.objects)
      .member("known", counts.known)
      .member("loaded", counts.loaded)
      .end_object();
}

void write_estimate(JsonWriter& json, const store::StoreEstimate& estimate) {
  const auto& dates = estimate.dates;
  json.key("estimate")
      .begin_object()
      .member("readingDays", estimate.reading_days)
      .member("registerReads", estimate.register_reads)
      .member("meters", estimate.meters)
      .member("from", dates ? std::optional(dates->from.text()) : std::nullopt)
      .member("to", dates ? std::optional(dates->to.text()) : std::nullopt)
      .member("packedBytes", estimate.packed_bytes)
      .member("embeddedBytes", estimate.embedded_bytes)
      .key("keyspaces");
  if (estimate.servers)
    json.begin_object()
        .member("rows", estimate.servers->rows)
        .member("writeUnits", estimate.servers->units)
        .end_object();
  else
    json.value(std::optional<std::int64_t>());
  json.end_object();
}

}  // namespace

std::string_view shown_state(const store::DeliveryRecord& record) {
  const bool is_stored = record.report.state == DeliveryState::stored;
  return is_stored && record.is_withdrawn() ? text_of(DeliveryEventKind::withdrawn)
                                            : text_of(record.report.state);
}

std::string start_text(const query::Point& point, query::Resolution resolution) {
  if (resolution >= query::Resolution::day) return point.day.text();
  return point.zone.label(point.day, point.minute);
}

std::string to_json(const query::Consumption& consumption) {
  const auto& question = consumption.question;
  JsonWriter json;
  json.begin_object().member("meter", question.meter.text());
  write_question(json, question.dates, question.resolution, question.as_of);
  json.key("channels").begin_array();
  for (const auto& channel : consumption.channels) {
    json.begin_object();
    write_channel(json, channel.channel);
    write_total(json, channel.total);
    json.key("series").begin_array();
    for (std::size_t i = 0; i < channel.series.size(); ++i) {
      const auto& point = channel.series[i];
      json.begin_object().member("start", start_text(point, question.resolution));
      write_total(json, point.total);
      write_note(json, "note", note_at(channel.notes, i));
      json.end_object();
    }
    json.end_array().end_object();
  }
  return json.end_array().end_object().take();
}

std::string to_json(const query::Portfolio& portfolio) {
  const auto& question = portfolio.question;
  JsonWriter json;
  json.begin_object();
  write_question(json, question.dates, question.resolution, question.as_of);
  json.key("channels").begin_array();
  for (const auto& channel : portfolio.channels) {
    json.begin_object();
    write_channel(json, channel.channel);
    write_total(json, channel.total);
    json.key("series").begin_array();
    for (const auto& point : channel.series) {
      json.begin_object().member("start", point.day.text());
      write_total(json, point.total);
      json.end_object();
    }
    json.end_array().end_object();
  }
  return json.end_array().end_object().take();
}

std::string to_json(const query::Top& top) {
  const auto& question = top.question;
  JsonWriter json;
  json.begin_object();
  write_dates(json, question.dates);
  json.member("order", query::text_of(question.order));
  write_as_of(json, question.as_of);
  json.key("channels").begin_array();
  for (const auto& channel : top.channels) {
    json.begin_object();
    write_channel(json, channel.channel);
    json.member("meters", channel.meters).key("top").begin_array();
    for (const auto& meter : channel.listed)
      json.begin_object()
          .member("meter", meter.meter.text())
          .member("sum", meter.sum)
          .member("readings", meter.readings)
          .member("days", meter.days)
          .end_object();
    json.end_array().end_object();
  }
  return json.end_array().end_object().take();
}

std::string start_text(const query::ProfilePoint& point) {
  return fmt::format("{:02}:{:02}", point.minute / 60, point.minute % 60);
}

std::string to_json(const query::Profile& profile) {
  const auto& question = profile.question;
  JsonWriter json;
  const auto write_mean = [&](std::string_view name, const query::TimeOfDayMean& mean) {
    json.key(name).begin_object();
    json.member("average", mean.average).member("count", mean.count).end_object();
  };
  const auto write_extreme = [&](std::string_view name, const std::optional<query::Point>& point) {
    if (!point) {
      json.member(name, std::optional<std::string>());
      return;
    }
    json.key(name).begin_object().member("start", start_text(*point, question.resolution));
    json.member("sum", point->total.sum).end_object();
  };
  json.begin_object().member("meter", question.meter.text());
  write_question(json, question.dates, question.resolution, question.as_of);
  json.key("channels").begin_array();
  for (const auto& channel : profile.channels) {
    json.begin_object();
    write_channel(json, channel.channel);
    json.member("average", channel.all.average).member("count", channel.all.count);
    write_extreme("peak", channel.peak);
    write_extreme("lowest", channel.lowest);
    json.member("loadFactor", channel.load_factor).key("profile").begin_array();
    for (const auto& point : channel.points) {
      json.begin_object().member("start", start_text(point));
      write_mean("weekday", point.weekday);
      write_mean("weekend", point.weekend);
      json.end_object();
    }
    json.end_array().end_object();
  }
  return json.end_array().end_object().take();
}

std::string to_json(const query::Gaps& gaps) {
  const auto& question = gaps.question;
  JsonWriter json;
  json.begin_object();
  write_dates(json, question.dates);
  write_as_of(json, question.as_of);
  json.member("absent", question.absent == query::Absent::listed)
      .key("total")
      .begin_object()
      .member("meters", gaps.total.meters)
      .member("metersWithGaps", gaps.total.meters_with_gaps);
  write_days(json, gaps.total.days, gaps.total.stored, gaps.total.complete);
  json.end_object().key("meters").begin_array();
  for (const auto& [meter, channels] : gaps.meters) {
    json.begin_object().member("meter", meter.text()).key("channels").begin_array();
    for (const auto& [channel, stored, complete, first_gap] : channels) {
      json.begin_object();
      write_channel(json, channel);
      write_days(json, question.dates.size(), stored, complete);
      json.member("firstGap", first_gap.text()).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
  json.member("next", gaps.more ? std::optional(gaps.meters.back().meter.text()) : std::nullopt);
  return json.end_object().take();
}

std::string to_json(const query::MeterGaps& gaps) {
  const auto& question = gaps.question;
  JsonWriter json;
  json.begin_object().member("meter", question.meter.text());
  write_dates(json, question.dates);
  write_as_of(json, question.as_of);
  json.key("channels").begin_array();
  for (const auto& channel : gaps.channels) {
    json.begin_object();
    write_channel(json, channel.channel);
    write_days(json, question.dates.size(), channel.stored, channel.complete);
    json.key("gaps").begin_array();
    for (const auto& gap : channel.gaps) write_gap(json, gap);
    json.end_array().end_object();
  }
  return json.end_array().end_object().take();
}

std::string to_json(const query::History& history) {
  const auto& question = history.question;
  JsonWriter json;
  json.begin_object()
      .member("meter", question.meter.text())
      .member("date", question.date.text())
      .key("channels")
      .begin_array();
  for (const auto& channel : history.channels) {
    json.begin_object();
    write_channel(json, channel.channel);
    json.key("versions").begin_array();
    for (const auto& version : channel.versions) write_day_version(json, question.date, version);
    json.end_array().end_object();
  }
  return json.end_array().end_object().take();
}

std::string to_json(const query::Changes& changes) {
  const auto& question = changes.question;
  JsonWriter json;
  json.begin_object()
      .member("since", question.since.text())
      .member("meter", question.meter ? std::optional(question.meter->text()) : std::nullopt)
      .member("from", question.dates ? std::optional(question.dates->from.text()) : std::nullopt)
      .member("to", question.dates ? std::optional(question.dates->to.text()) : std::nullopt)
      .key("days")
      .begin_array();
  for (const auto& day : changes.days) {
    json.begin_object().member("meter", day.meter.text());
    write_channel(json, day.channel);
    json.member("date", day.date.text()).member("readingsChanged", day.slots);
    write_total(json, "before", day.before);
    write_total(json, "after", day.after);
    json.end_object();
  }
  json.end_array();
  json.member("next", changes.next ? std::optional(changes.next->text()) : std::nullopt);
  return json.end_object().take();
}

std::string to_json(const query::Registers& registers) {
  const auto& question = registers.question;
  JsonWriter json;
  json.begin_object()
      .member("meter", question.meter.text())
      .member("from", question.dates ? std::optional(question.dates->from.text()) : std::nullopt)
      .member("to", question.dates ? std::optional(question.dates->to.text()) : std::nullopt);
  write_as_of(json, question.as_of);
  json.key("reads").begin_array();
  for (const auto& known : registers.reads) write_read(json, known);
  json.end_array();
  json.member("next", registers.next ? std::optional(registers.next->text()) : std::nullopt);
  return json.end_object().take();
}

std::string to_json(const store::DeliveryRecord& record) {
  JsonWriter json;
  write_delivery(json, record, Findings::shown);
  return json.take();
}

std::string to_json(const store::MeterInfo& meter) {
  JsonWriter json;
  write_meter(json, meter);
  return json.take();
}

std::string withdrawal_json(const ingest::WithdrawalAnswer& answer) {
  JsonWriter json;
  json.begin_object().member("changed", answer.changed).key("delivery");
  write_delivery(json, answer.record, Findings::left_out);
  return json.end_object().take();
}

std::string meters_json(const std::vector<store::MeterInfo>& meters, bool more) {
  JsonWriter json;
  json.begin_object().key("meters").begin_array();
  for (const auto& meter : meters) write_meter(json, meter);
  json.end_array();
  json.member("next", more ? std::optional(meters.back().meter.text()) : std::nullopt);
  return json.end_object().take();
}

std::string deliveries_json(const std::vector<store::DeliveryRecord>& records, bool more) {
  JsonWriter json;
  json.begin_object().key("deliveries").begin_array();
  for (const auto& record : records) write_delivery(json, record, Findings::left_out);
  json.end_array();
  json.member("next", more ? std::optional(records.back().delivery.id.text()) : std::nullopt);
  return json.end_object().take();
}

std::string findings_json(const store::DeliveryRecord& record) {
  JsonWriter json;
  json.begin_object().member("id", record.delivery.id.text());
  write_finding_counts(json, record.report.finding_counts);
  write_findings(json, record.report.findings);
  return json.end_object().take();
}

std::string ingest_json(const IngestAnswer& answer) {
  JsonWriter json;
  json.begin_object().key("deliveries").begin_array();
  for (std::size_t i = 0; i < answer.records.size(); ++i)
    write_delivery(json, answer.records[i], Findings::shown,
                   answer.comparisons.empty() ? nullptr : &answer.comparisons[i]);
  json.end_array();
  if (!answer.archives.empty()) {
    json.key("archives").begin_array();
    for (const auto& archive : answer.archives) write_archive(json, archive);
    json.end_array();
  }
  if (answer.sweep) write_sweep(json, *answer.sweep);
  if (answer.estimate) write_estimate(json, *answer.estimate);
  json.key("total").begin_object();
  json.member("deliveries", answer.totals.deliveries)
      .member("stored", answer.totals.stored)
      .member("skipped", answer.totals.skipped)
      .member("refused", answer.totals.refused)
      .member("failed", answer.totals.failed);
  write_counts(json, answer.totals);
  return json.end_object().end_object().take();
}

}  // namespace meterline::api
