#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/groups.h"
#include "ingest/compare.h"
#include "ingest/ingest.h"
#include "ingest/sweep.h"
#include "ingest/withdrawal.h"
#include "query/base_load.h"
#include "query/changes.h"
#include "query/comparison.h"
#include "query/consumption.h"
#include "query/gaps.h"
#include "query/history.h"
#include "query/late.h"
#include "query/portfolio.h"
#include "query/profile.h"
#include "query/registers.h"
#include "query/time_of_use.h"
#include "query/top.h"
#include "store/estimate.h"
#include "store/store.h"

namespace meterline::api {

/// Answers as JSON text, without a newline at the end. Sums are exact JSON numbers of any
/// length; times are RFC 3339; an unknown value is null. The command line prints the same bytes.
std::string to_json(const query::Consumption& consumption);
std::string to_json(const query::Portfolio& portfolio);
std::string to_json(const query::Gaps& gaps);
std::string to_json(const query::MeterGaps& gaps);
std::string to_json(const query::History& history);
std::string to_json(const query::Changes& changes);
std::string to_json(const query::Profile& profile);
std::string to_json(const query::Top& top);
std::string to_json(const query::Registers& registers);
std::string to_json(const query::Comparison& comparison);
std::string to_json(const query::TimeOfUse& answer);
std::string to_json(const query::Late& late);
std::string to_json(const query::BaseLoad& base);
std::string to_json(const store::DeliveryRecord& record);
std::string to_json(const store::MeterInfo& meter);

/// `{"changed":...,"delivery":{...}}`: what became of a delivery; without its findings.
std::string withdrawal_json(const ingest::WithdrawalAnswer& answer);

/// `{"meters":[...],"next":CURSOR}`; `next` is null on the last page.
std::string meters_json(const std::vector<store::MeterInfo>& meters, bool more);
/// `{"deliveries":[...],"next":CURSOR}`; without the findings, of which there may be many.
std::string deliveries_json(const std::vector<store::DeliveryRecord>& records, bool more);
/// `{"id":...,"findingCounts":{...},"findings":[...]}`: what was found in one delivery.
std::string findings_json(const store::DeliveryRecord& record);

/// The report of one ingest.
struct IngestAnswer {
  const std::vector<store::DeliveryRecord>& records;
  const std::vector<ingest::ArchiveReport>& archives;
  const ingest::IngestTotals& totals;
  std::optional<ingest::SweepCounts> sweep = {};
  std::optional<store::StoreEstimate> estimate = {};
  std::span<const ingest::Comparison> comparisons = {};  ///< One for each record, or none at all.
};
/// `{"deliveries":[...],"total":{...}}`. Archives, where there are any, are in `archives`, and not
/// in the total; `comparison`, `sweep` and `estimate` are there when they are given.
std::string ingest_json(const IngestAnswer& answer);

/// The same as CSV (RFC 4180, header row, LF): one line for each point of a series, register
/// read, meter's channel, gap, delivery, or finding. Series of intervals have columns for notes.
std::string to_csv(const query::Consumption& consumption);
std::string to_csv(const query::Portfolio& portfolio);
std::string to_csv(const query::Gaps& gaps);
std::string to_csv(const query::MeterGaps& gaps);
std::string to_csv(const query::History& history);  ///< A line a version; notes are counted.
std::string to_csv(const query::Changes& changes);
std::string to_csv(const query::Profile& profile);  ///< A line a time of the day.
std::string to_csv(const query::Top& top);          ///< A line a meter of a channel.
std::string to_csv(const query::Registers& registers);
std::string to_csv(const query::Comparison& comparison);  ///< A line a channel.
std::string to_csv(const query::TimeOfUse& answer);       ///< A line a band of a point.
std::string to_csv(const query::Late& late);              ///< A line a meter's channel.
std::string to_csv(const query::BaseLoad& base);          ///< A line a channel.
std::string meters_csv(const std::vector<store::MeterInfo>& meters);
std::string deliveries_csv(const std::vector<store::DeliveryRecord>& records);
std::string findings_csv(const store::DeliveryRecord& record);
/// A line for each file and sum; one without sums for a file that has none.
std::string comparisons_csv(const std::vector<store::DeliveryRecord>& records,
                            const std::vector<ingest::Comparison>& comparisons);

/// A group, or why it cannot be read.
struct NamedGroup {
  std::string name;
  Result<std::shared_ptr<const access::Group>> group;
};
/// Ascending by their names. Errors: those of access::Groups::names().
Result<std::vector<NamedGroup>> all_groups(const access::Groups& groups);
/// `{"group":...,"ids":...,"prefixes":...,"changed":...}`, or `{"group":...,"fault":...}`.
std::string to_json(const NamedGroup& named);
std::string groups_json(const std::vector<NamedGroup>& groups);  ///< `{"groups":[...]}`
std::string groups_csv(const std::vector<NamedGroup>& groups);   ///< A line a group.
/// `{"group":...,"changed":...,"meters":["EE00027","EE1*"]}`
std::string group_json(std::string_view name, const access::Group& group);
std::string group_csv(const access::Group& group);  ///< A line a meter or beginning.

/// What a delivery is shown as: `withdrawn` for one that is stored and withdrawn now.
std::string_view shown_state(const store::DeliveryRecord& record);

/// `start` of a point of a profile: `00:30`.
std::string start_text(const query::ProfilePoint& point);

/// `start` of a point: `2019-01-01`, or below a day as TimeZone::label().
std::string start_text(const query::Point& point, query::Resolution resolution);

}  // namespace meterline::api
