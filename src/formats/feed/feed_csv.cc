#include "formats/feed/feed_csv.h"

#include <fmt/format.h>

#include <utility>

#include "core/try.h"
#include "formats/feed/row_reader.h"

namespace meterline::formats {
namespace {

/// Hours that are numbered from 0 are named by their starts, and then all others are, too: the file
/// is of another layout, and would be shifted by an hour.
Result<void> check_periods(const FeedPlan& plan, std::string_view rows) {
  if (plan.period == no_column) return {};
  FeedFields fields(plan.delimiter);
  while (!rows.empty()) {
    const auto row = first_row(rows);
    rows.remove_prefix(row.bytes);
    if (row.text.size() > row_bytes_max || !fields.split(row.text)) continue;
    const auto text = fields.at(plan.period);
    if (text.empty() || text.substr(0, text.find(':')).find_first_not_of('0') != text.npos)
      continue;
    return fail(Errc::refused,
                fmt::format("the feed numbers hours by their ends, 1 to 24, but there is an hour "
                            "`{}`: these are named by their starts, and would be shifted",
                            excerpt_of(text)));
  }
  return {};
}

/// Whether the first row says an offset, or the feed does for all.
bool has_offset(const FeedPlan& plan, const StampPlan& stamp, std::string_view rows) {
  if (!stamp.is_given()) return false;
  if (stamp.pattern.has_offset()) return true;
  FeedFields fields(plan.delimiter);
  if (stamp.columns.size() > 1 || rows.empty()) return false;
  if (!fields.split(first_row(rows).text.substr(0, row_bytes_max))) return false;
  const auto read = stamp.pattern.read(fields.at(stamp.columns.front()));
  return read && read->offset_minutes;
}

/// Moments make days in some zone: without one, in that of their clock, or UTC where each has its
/// offset.
Result<void> choose_zone(FeedPlan& plan, std::string_view rows) {
  if (!plan.rows || plan.zone.is_known()) return {};
  if (plan.clock.is_known()) {
    plan.zone = plan.clock;
  } else if (has_offset(plan, plan.start, rows) || has_offset(plan, plan.end, rows)) {
    plan.zone = TimeZone::of_offset(0);
    plan.needs_offset = true;
  } else {
    return fail(Errc::refused,
                "the file's times are those of a local clock: say of which with --zone (zone= for "
                "an upload, METERLINE_ZONE in the environment), like --zone Europe/London");
  }
  return {};
}

}  // namespace

Cut feed_cut(const FeedLayout& layout, TimeZone zone) {
  FeedPlan plan{.zone = layout.zone.is_known() ? layout.zone : zone, .clock = layout.clock};
  for (const auto& filter : layout.rows) plan.filters.push_back({.action = filter.action});
  plan.rows = layout.rows_of_readings;
  // Where a title has the total, only the file tells whether it is there.
  const auto needs_all = [](const SaidTotal& said) {
    TotalPlan total{.record = said.record};
    if (!said.title.empty()) total.line = -1;
    return total;
  };
  plan.sum = needs_all(layout.sum);
  plan.rows_count = needs_all(layout.rows_count);
  return {.is_whole = plan.needs_whole_file()};
}

std::int64_t FeedCsv::parse(const Piece& piece, DaySink& sink) const {
  return plan_.wide ? read_wide_rows(plan_, piece, sink) : read_long_rows(plan_, piece, sink);
}

Result<Opened> open_feed(const FeedLayout& layout, const Piece& first, const ReadOptions& options) {
  METERLINE_TRY(auto opened, plan_feed(layout, first, options));
  METERLINE_CHECK(check_periods(opened.plan, first.text.substr(opened.bytes)));
  METERLINE_CHECK(choose_zone(opened.plan, first.text.substr(opened.bytes)));
  Opened made{.needs_unit = opened.needs_unit, .bytes = opened.bytes, .lines = opened.lines};
  made.recognised_by = layout.has_header
                           ? fmt::format("line {} has the columns of the feed {}",
                                         first.first_line + opened.lines - 1, layout.name)
                           : fmt::format("it is read by the feed {}", layout.name);
  made.parser = std::make_unique<FeedCsv>(std::move(opened.plan));
  return made;
}

}  // namespace meterline::formats
