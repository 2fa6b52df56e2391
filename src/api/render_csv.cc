#include "api/render.h"
#include "api/render_parts.h"

namespace meterline::api {
namespace {

/// Behind them in series of intervals, whether there are notes or not: the columns depend on the
/// question alone.
constexpr std::string_view note_header = "flag,method,reasonCode,reasonText\n";

void append_note(std::string& out, const Note* note) {
  if (note == nullptr)
    append_row(out, {"", "", "", ""});
  else
    append_row(out, {note->flag, note->method, note->reason_code, note->reason_text});
}

/// The last fields of a row.
void append_facts(std::string& out, const std::optional<ChannelFacts>& facts) {
  const ChannelFacts& known = facts ? *facts : ChannelFacts();
  append_row(out, {known.serial, known.register_id, known.sent ? text_of(*known.sent) : ""});
}

/// A register's state, with a comma behind each field.
void append_state(std::string& out, const RegisterState& state) {
  append_fields(
      out, {state.time.text(), text_or_empty(state.value), text_of(state.quality), state.note.flag,
            state.note.method, state.note.reason_code, state.note.reason_text});
}

/// One of the two sides of a change; all empty where nothing is stored.
void append_side(std::string& out, const std::optional<query::Total>& total) {
  if (!total) {
    append_row(out, {"", "", "", ""});
    return;
  }
  append_row(out, {text_or_empty(total->sum), std::to_string(total->readings),
                   std::to_string(total->expected),
                   total->version ? total->version->received.text() : ""});
}

}  // namespace

std::string to_csv(const query::Consumption& consumption) {
  const auto& question = consumption.question;
  std::string out = "meter,channel,flow,unit,start,sum,";
  out += basis_header;
  const bool has_notes = question.resolution == query::Resolution::interval;
  if (has_notes) {
    out.back() = ',';
    out += note_header;
  }
  for (const auto& [channel, total, series, notes] : consumption.channels) {
    for (std::size_t i = 0; i < series.size(); ++i) {
      const auto& point = series[i];
      append_fields(
          out, {question.meter.text(), channel.name, text_of(channel.flow), text_of(channel.unit),
                start_text(point, question.resolution), text_or_empty(point.total.sum)});
      append_basis(out, point.total);
      if (!has_notes) continue;
      out.back() = ',';
      append_note(out, note_at(notes, i));
    }
  }
  return out;
}

std::string to_csv(const query::Portfolio& portfolio) {
  std::string out = "channel,flow,unit,start,sum,average,meters,metersIncomplete,";
  out += basis_header;
  for (const auto& [channel, total, series] : portfolio.channels) {
    for (const auto& [day, all] : series) {
      append_fields(out, {channel.name, text_of(channel.flow), text_of(channel.unit), day.text(),
                          text_or_empty(all.total.sum), text_or_empty(all.average),
                          std::to_string(all.meters), std::to_string(all.meters_incomplete)});
      append_basis(out, all.total);
    }
  }
  return out;
}

std::string to_csv(const query::Top& top) {
  std::string out = "channel,flow,unit,meter,sum,readings,days\n";
  for (const auto& [channel, meters, listed] : top.channels)
    for (const auto& meter : listed)
      append_row(out, {channel.name, text_of(channel.flow), text_of(channel.unit),
                       meter.meter.text(), text_or_empty(meter.sum), std::to_string(meter.readings),
                       std::to_string(meter.days)});
  return out;
}

std::string to_csv(const query::Profile& profile) {
  std::string out =
      "meter,channel,flow,unit,start,weekdayAverage,weekdayCount,weekendAverage,weekendCount\n";
  for (const auto& channel : profile.channels)
    for (const auto& point : channel.points)
      append_row(
          out, {profile.question.meter.text(), channel.channel.name, text_of(channel.channel.flow),
                text_of(channel.channel.unit), start_text(point),
                text_or_empty(point.weekday.average), std::to_string(point.weekday.count),
                text_or_empty(point.weekend.average), std::to_string(point.weekend.count)});
  return out;
}

std::string to_csv(const query::Gaps& gaps) {
  std::string out = "meter,channel,flow,unit,days,stored,complete,firstGap\n";
  const std::string days = std::to_string(gaps.question.dates.size());
  for (const auto& [meter, channels] : gaps.meters)
    for (const auto& [channel, stored, complete, first_gap] : channels)
      append_row(out, {meter.text(), channel.name, text_of(channel.flow), text_of(channel.unit),
                       days, std::to_string(stored), std::to_string(complete), first_gap.text()});
  return out;
}

std::string to_csv(const query::MeterGaps& gaps) {
  std::string out = "meter,channel,flow,unit,kind,from,to,days,readings,expected\n";
  for (const auto& channel : gaps.channels) {
    for (const auto& gap : channel.gaps) {
      append_fields(out, {gaps.question.meter.text(), channel.channel.name,
                          text_of(channel.channel.flow), text_of(channel.channel.unit)});
      append_row(out, {query::kind_of(gap), gap.dates.from.text(), gap.dates.to.text(),
                       std::to_string(gap.dates.size()), std::to_string(gap.readings),
                       gap.expected ? std::to_string(*gap.expected) : std::string()});
    }
  }
  return out;
}

std::string to_csv(const query::History& history) {
  std::string out =
      "meter,channel,flow,unit,date,origin,delivery,source,state,counts,changes,notes,"
      "intervalMinutes,"
      "sum," +
      std::string(basis_header);
  for (const auto& [channel, versions] : history.channels) {
    for (const auto& version : versions) {
      append_fields(
          out,
          {history.question.meter.text(), channel.name, text_of(channel.flow),
           text_of(channel.unit), history.question.date.text(), text_of(version.version.origin),
           version.delivery.text(), version.record ? version.record->delivery.source : "",
           version.record ? shown_state(*version.record) : "", version.counts ? "true" : "false",
           std::to_string(version.changes.size()), std::to_string(version.notes.size()),
           std::to_string(version.interval.minutes()), text_or_empty(version.total.sum)});
      auto total = version.total;
      total.version = version.version;
      append_basis(out, total);
    }
  }
  return out;
}

std::string to_csv(const query::Changes& changes) {
  std::string out =
      "meter,channel,flow,unit,date,readingsChanged,sumBefore,readingsBefore,expectedBefore,"
      "receivedBefore,sumAfter,readingsAfter,expectedAfter,receivedAfter\n";
  for (const auto& day : changes.days) {
    append_fields(out, {day.meter.text(), day.channel.name, text_of(day.channel.flow),
                        text_of(day.channel.unit), day.date.text(), std::to_string(day.slots)});
    append_side(out, day.before);
    out.back() = ',';
    append_side(out, day.after);
  }
  return out;
}

std::string to_csv(const query::Registers& registers) {
  std::string out =
      "meter,channel,flow,unit,register,serial,time,value,quality,flag,method,reasonCode,"
      "reasonText,previousTime,previousValue,previousQuality,previousFlag,previousMethod,"
      "previousReasonCode,previousReasonText,counted,nextRead,stated,received,delivery\n";
  for (const auto& [read, version, delivery] : registers.reads) {
    append_fields(out, {read.meter.text(), read.of.channel.name, text_of(read.of.channel.flow),
                        text_of(read.of.channel.unit), read.of.id, read.of.serial});
    append_state(out, read.current);
    if (read.previous)
      append_state(out, *read.previous);
    else
      append_fields(out, {"", "", "", "", "", "", ""});
    append_row(out, {text_or_empty(read.counted), text_or_empty(read.next_read),
                     version.stated.text(), version.received.text(), delivery.text()});
  }
  return out;
}

/// A meter of which only register reads are known has one line, without a channel.
std::string meters_csv(const std::vector<store::MeterInfo>& meters) {
  std::string out =
      "meter,channel,flow,unit,interval,first,last,zone,registerReads,serial,register,unitSent\n";
  for (const auto& meter : meters) {
    const std::string_view reads = meter.has_reads ? "true" : "false";
    for (const auto& [channel, interval, zone, first, last, facts] : meter.channels) {
      append_fields(
          out, {meter.meter.text(), channel.name, text_of(channel.flow), text_of(channel.unit),
                std::to_string(interval.minutes()), first.text(), last.text(), zone.text(), reads});
      append_facts(out, facts);
    }
    if (meter.channels.empty())
      append_row(out, {meter.meter.text(), "", "", "", "", "", "", "", reads, "", "", ""});
  }
  return out;
}

std::string deliveries_csv(const std::vector<store::DeliveryRecord>& records) {
  std::string out =
      "id,source,state,reason,format,deliveredAt,receivedAt,bytes,sha256,unit,"
      "rowsRead,rowsStored,rowsRepeated,rowsRejected,"
      "readingsRead,readingsStored,readingsMissing,readingsRepeated,readingsRejected,"
      "objectVersion,reader,zone,feed,withdrawnAt,withdrawnBy,withdrawnReason,"
      "registerReadsRead,registerReadsStored,registerReadsRepeated,registerReadsRejected\n";
  for (const auto& record : records) {
    const Delivery& delivery = record.delivery;
    const DeliveryReport& report = record.report;
    const DeliveryEvent nothing{.at = {}, .who = "", .reason = ""};
    const bool is_withdrawn = record.is_withdrawn();
    const DeliveryEvent& event = is_withdrawn ? record.events.back() : nothing;
    const RowCounts& rows = report.rows;
    const ReadingCounts& readings = report.readings;
    const RowCounts& reads = report.register_reads;
    append_fields(
        out,
        {delivery.id.text(), delivery.source, shown_state(record), report.reason, report.format,
         delivery.delivered_at.text(), delivery.received_at.text(), std::to_string(delivery.bytes),
         hex(delivery.content.data(), delivery.content.size()), text_of(delivery.unit)});
    append_row(out, {std::to_string(rows.read),
                     std::to_string(rows.stored),
                     std::to_string(rows.repeated),
                     std::to_string(rows.rejected),
                     std::to_string(readings.read),
                     std::to_string(readings.stored),
                     std::to_string(readings.missing),
                     std::to_string(readings.repeated),
                     std::to_string(readings.rejected),
                     delivery.object_version,
                     std::to_string(delivery.reader),
                     delivery.zone,
                     delivery.feed ? delivery.feed->name : "",
                     is_withdrawn ? event.at.text() : "",
                     event.who,
                     event.reason,
                     std::to_string(reads.read),
                     std::to_string(reads.stored),
                     std::to_string(reads.repeated),
                     std::to_string(reads.rejected)});
  }
  return out;
}

std::string comparisons_csv(const std::vector<store::DeliveryRecord>& records,
                            const std::vector<ingest::Comparison>& comparisons) {
  std::string out =
      "source,state,daysNew,daysReplacing,daysNotCounting,daysEqual,flow,unit,before,after,"
      "registerReadsNew,registerReadsReplacing,registerReadsNotCounting,registerReadsEqual\n";
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& [days, reads, sums] = comparisons[i];
    std::string file;
    append_fields(file, {records[i].delivery.source, text_of(records[i].report.state),
                         std::to_string(days.added), std::to_string(days.replacing),
                         std::to_string(days.not_counting), std::to_string(days.equal)});
    std::string end;
    append_row(end, {std::to_string(reads.added), std::to_string(reads.replacing),
                     std::to_string(reads.not_counting), std::to_string(reads.equal)});
    if (sums.empty()) out += file + ",,,," + end;
    for (const auto& sum : sums) {
      out += file;
      append_fields(out,
                    {text_of(sum.flow), text_of(sum.unit), sum.before.text(), sum.after.text()});
      out += end;
    }
  }
  return out;
}

std::string findings_csv(const store::DeliveryRecord& record) {
  std::string out = "line,column,code,text,excerpt\n";
  for (const auto& finding : record.report.findings)
    append_row(out, {std::to_string(finding.line), std::to_string(finding.column),
                     text_of(finding.code), finding.text, finding.excerpt});
  return out;
}

}  // namespace meterline::api
