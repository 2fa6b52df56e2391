#include "query/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/try.h"
#include "store/resolve.h"

namespace meterline::query {
namespace {

/// A version as the store gave it, of which the bytes are kept.
struct Kept {
  Version version;
  DeliveryId delivery;
  std::string packed;
};
using KeptByChannel = std::map<Channel, std::vector<Kept>>;  ///< The greatest version first.

Result<KeptByChannel> read_versions(const store::Store& store, const HistoryQuestion& question) {
  KeptByChannel kept;
  std::size_t count = 0;
  const DateRange day{.from = question.date, .to = question.date};
  METERLINE_CHECK(store.read_days(
      {.meter = question.meter, .dates = day}, [&](const store::StoredDay& stored) -> Result<void> {
        if (!is_wanted(stored.channel, question.channel, question.flow)) return {};
        if (++count > history_versions_max)
          return fail(Errc::too_large,
                      fmt::format("{} of meter {} has more than {} versions", question.date.text(),
                                  question.meter.text(), history_versions_max));
        kept[stored.channel].push_back({.version = stored.version,
                                        .delivery = stored.delivery,
                                        .packed = std::string(stored.packed)});
        return {};
      }));
  return kept;
}

std::optional<Decimal> reading_of(const store::ResolvedDay& day, std::size_t slot) {
  if (day.qualities[slot] == Quality::missing) return std::nullopt;
  return day.reading(slot);
}

bool is_same(const Note* a, const Note* b) {
  return a == nullptr || b == nullptr ? a == b : *a == *b;
}

/// Tells the version what the answer became with it; `before` has no slots where nothing was known.
void tell_changes(const store::ResolvedDay& before, const store::ResolvedDay& after,
                  DayVersion& version) {
  const bool is_same_shape = before.interval == after.interval && before.slots() == after.slots();
  for (std::size_t slot = 0; slot < after.qualities.size(); ++slot) {
    SlotChange change{.minute = static_cast<int>(slot) * after.interval.minutes(),
                      .after = reading_of(after, slot),
                      .quality_after = after.qualities[slot]};
    if (is_same_shape) {
      change.before = reading_of(before, slot);
      change.quality_before = before.qualities[slot];
    }
    const Note* const note_before = is_same_shape ? note_at(before.notes, slot) : nullptr;
    const Note* const note_after = note_at(after.notes, slot);
    if (change.before == change.after && change.quality_before == change.quality_after &&
        is_same(note_before, note_after))
      continue;
    const std::size_t place = version.changes.size();
    version.changes.push_back(change);
    if (note_before != nullptr) append(version.notes_before, place, place + 1, *note_before);
    if (note_after != nullptr) append(version.notes_after, place, place + 1, *note_after);
  }
}

/// Tells the versions of one channel.
class ChannelTeller {
 public:
  ChannelTeller(const store::Store& store, const HistoryQuestion& question, const Channel& channel,
                const std::vector<Kept>& kept)
      : store_(store),
        question_(question),
        channel_(channel),
        kept_(kept),
        known_(kept.size()),
        events_(kept.size()) {}

  Result<ChannelHistory> tell() {
    // Of those received together the lesser version comes first.
    std::vector<std::size_t> order(kept_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = kept_.size() - 1 - i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return kept_[a].version.received < kept_[b].version.received;
    });
    ChannelHistory history{.channel = channel_, .versions = {}};
    for (const auto at : order) {
      METERLINE_TRY(auto version, alone(kept_[at]));
      if (version.record) events_[at] = version.record->events;
      version.withdrawn = is_withdrawn(events_[at]);
      const Instant received = kept_[at].version.received;
      METERLINE_TRY(const auto before, answer_of_known(received));
      known_[at] = true;
      METERLINE_TRY(const auto after, answer_of_known(received));
      tell_changes(before, after, version);
      history.versions.push_back(std::move(version));
    }
    METERLINE_TRY(const auto answer, answer_of_known(Instant::end_of_time()));
    for (auto& version : history.versions)
      version.counts = !version.withdrawn && is_part_of(answer, version.version);
    std::reverse(history.versions.begin(), history.versions.end());
    return history;
  }

 private:
  store::StoredDay stored(const Kept& kept) const {
    return {.channel = channel_,
            .date = question_.date,
            .version = kept.version,
            .delivery = kept.delivery,
            .packed = kept.packed};
  }

  Result<DayVersion> alone(const Kept& kept) const {
    store::DayResolver resolver;
    METERLINE_CHECK(resolver.add(stored(kept)));
    METERLINE_TRY(const auto day, store::total_of(question_.meter, resolver.day()));
    DayVersion version{.version = kept.version,
                       .delivery = kept.delivery,
                       .record = std::nullopt,
                       .interval = resolver.day().interval,
                       .zone = resolver.day().zone,
                       .facts = resolver.day().facts,
                       .total = {},
                       .notes = resolver.day().notes,
                       .changes = {},
                       .notes_before = {},
                       .notes_after = {}};
    METERLINE_CHECK(version.total.add(day));
    if (!adds_up(day.channel.unit)) version.total.sum.reset();
    METERLINE_TRY(version.record, store_.delivery(kept.delivery));
    return version;
  }

  /// Without slots where nothing counts.
  Result<store::ResolvedDay> answer_of_known(Instant as_of) const {
    store::DayResolver resolver;
    for (std::size_t i = 0; i < kept_.size(); ++i)
      if (known_[i] && !is_withdrawn(events_[i], as_of))
        METERLINE_CHECK(resolver.add(stored(kept_[i])));
    return resolver.day();
  }

  static bool is_part_of(const store::ResolvedDay& answer, const Version& version) {
    for (std::size_t slot = 0; slot < answer.qualities.size(); ++slot)
      if (answer.qualities[slot] != Quality::missing && answer.part(slot).version == version)
        return true;
    return false;
  }

  const store::Store& store_;
  const HistoryQuestion& question_;
  const Channel& channel_;
  const std::vector<Kept>& kept_;                   ///< The greatest version first.
  std::vector<bool> known_;                         ///< Of those, which have been received so far.
  std::vector<std::vector<DeliveryEvent>> events_;  ///< Of the deliveries of the known ones.
};

}  // namespace

Result<History> history(const store::Store& store, const HistoryQuestion& question) {
  METERLINE_TRY(const auto known, store.channels(question.meter));
  if (known.empty())
    return fail(Errc::not_found,
                fmt::format("meter {} is not known: no file loaded so far has a day of it",
                            question.meter.text()));
  METERLINE_TRY(const auto kept, read_versions(store, question));
  History answer{.question = question, .channels = {}};
  for (const auto& [channel, versions] : kept) {
    METERLINE_TRY(auto told, ChannelTeller(store, question, channel, versions).tell());
    answer.channels.push_back(std::move(told));
  }
  return answer;
}

}  // namespace meterline::query
