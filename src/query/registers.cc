#include "query/registers.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/try.h"
#include "store/register_reads.h"

namespace meterline::query {
namespace {

constexpr std::int64_t minute_micros = std::int64_t{60} * 1'000'000;
constexpr std::int64_t day_micros = 24 * 60 * minute_micros;

/// All times that are of the days asked for on any clock, behind the page before.
store::ReadsQuery reads_query(const RegistersQuestion& question) {
  auto query = store::all_reads_of(question.meter);
  if (question.dates) {
    constexpr auto clocks = clock_offset_minutes_max * minute_micros;
    query.from.micros = question.dates->from.days() * day_micros - clocks;
    query.to.micros = (question.dates->to.days() + 1) * day_micros - 1 + clocks;
  }
  if (question.after) {
    const bool is_last = *question.after == Instant::end_of_time();  // No read has that time.
    query.from = std::max(query.from, Instant{question.after->micros + (is_last ? 0 : 1)});
  }
  if (question.as_of) query.as_of = *question.as_of;
  return query;
}

bool is_asked_for(const RegisterRead& read, const RegistersQuestion& question) {
  if (!is_wanted(read.of.channel, question.channel, question.flow)) return false;
  return !question.dates || question.dates->contains(read.current.time.date());
}

/// Whether anything was ever loaded of it, be it withdrawn now.
Result<bool> is_known(const store::Store& store, const MeterId& meter) {
  METERLINE_TRY(const auto found, store.meters({.prefix = meter.text(),
                                                .after = {},
                                                .limit = 1,
                                                .withdrawn = store::Withdrawn::counted}));
  return !found.empty() && found.front().meter == meter;
}

}  // namespace

Result<Registers> registers(const store::Store& store, const RegistersQuestion& question) {
  if (question.dates && question.dates->to < question.dates->from)
    return fail(Errc::invalid_argument,
                fmt::format("`to` ({}) is before `from` ({})", question.dates->to.text(),
                            question.dates->from.text()));
  Registers answer{.question = question, .reads = {}, .next = std::nullopt};
  auto& reads = answer.reads;
  std::size_t at_once = 0;
  const auto read = store::read_newest_registers(
      store, reads_query(question), [&](const store::StoredRead& stored) -> Result<void> {
        if (!is_asked_for(stored.read, question)) return {};
        const Instant at = stored.read.current.time.at;
        const bool is_next_time = reads.empty() || reads.back().read.current.time.at != at;
        if (is_next_time && reads.size() >= std::max<std::size_t>(question.limit, 1)) {
          answer.next = reads.back().read.current.time.at;
          return fail(Errc::cancelled, "the page is full");
        }
        at_once = is_next_time ? 1 : at_once + 1;
        if (at_once > registers_at_once_max)
          return fail(Errc::too_large,
                      fmt::format("more than {} registers of meter {} were read at {}",
                                  registers_at_once_max, question.meter.text(), at.text()));
        reads.push_back(
            {.read = stored.read, .version = stored.version, .delivery = stored.delivery});
        return {};
      });
  if (!read && !answer.next) return tl::unexpected(read.error());
  if (!reads.empty()) return answer;
  METERLINE_TRY(const bool known, is_known(store, question.meter));
  if (!known)
    return fail(Errc::not_found,
                fmt::format("meter {} is not known: no file loaded so far has anything of it",
                            question.meter.text()));
  return answer;
}

}  // namespace meterline::query
