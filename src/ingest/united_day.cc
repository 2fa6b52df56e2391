#include "ingest/united_day.h"

#include <algorithm>
#include <utility>

namespace meterline::ingest {
namespace {

bool has_reading(const ReadingDay& day) {
  return std::any_of(day.qualities.begin(), day.qualities.end(),
                     [](Quality quality) { return quality != Quality::missing; });
}

/// Slots that are the row's own as long as it is alone: at least one, so that it is there.
std::size_t readings_of(const ReadingDay& day) {
  const auto missing = std::count(day.qualities.begin(), day.qualities.end(), Quality::missing);
  return std::max<std::size_t>(day.qualities.size() - static_cast<std::size_t>(missing), 1);
}

/// Gives the day more decimals. False, and the day is as it was, when a reading does not fit.
bool scale_to(int exponent, ReadingDay& day) {
  auto mantissas = day.mantissas;
  for (int from = day.exponent; from > exponent; --from)
    for (auto& mantissa : mantissas)
      if (__builtin_mul_overflow(mantissa, 10, &mantissa)) return false;
  day.mantissas.swap(mantissas);
  day.exponent = static_cast<std::int8_t>(exponent);
  return true;
}

/// Gives both days as many decimals, where both have the same slots.
bool align(ReadingDay& a, ReadingDay& b) {
  if (a.interval != b.interval || a.mantissas.size() != b.mantissas.size() || a.zone != b.zone)
    return false;
  if (a.exponent == b.exponent) return true;
  const int exponent = std::min(a.exponent, b.exponent);
  return scale_to(exponent, a) && scale_to(exponent, b);
}

}  // namespace

void UnitedDay::start(ReadingDay day, std::int64_t line) {
  *this = UnitedDay();
  rows_ = 1;
  const auto part = new_part(line, day);
  parts_[part].slots = readings_of(day);
  part_of_.assign(day.mantissas.size(), static_cast<std::uint16_t>(part));
  day_ = std::move(day);
}

void UnitedDay::add(ReadingDay day, std::int64_t line) {
  ++rows_;
  const bool is_newer = day.stated >= day_.stated;
  const bool has_new = has_reading(day);
  const bool has_old = has_reading(day_);
  if (has_new && has_old && align(day_, day)) return unite(day, line);
  const bool is_unlike = has_new && has_old;
  const bool wins = has_new == has_old ? is_newer : has_new;
  if (wins)
    replace(std::move(day), line, is_unlike);
  else
    lose_to_day(line, day, is_unlike);
}

std::size_t UnitedDay::new_part(std::int64_t line, const ReadingDay& day) {
  if (free_.empty()) {
    free_.push_back(parts_.size());
    parts_.emplace_back();
  }
  const auto part = free_.back();
  free_.pop_back();
  parts_[part] = {.outcome = {.line = line, .is_stored = true}, .stated = day.stated};
  return part;
}

/// Nothing of the part's row is left.
void UnitedDay::end(Part& part) {
  part.slots = 0;
  part.outcome.is_stored = false;
  ++gone_;
  if (lost_.size() < outcomes_max) lost_.push_back(part.outcome);
  free_.push_back(static_cast<std::size_t>(&part - parts_.data()));
}

/// The day is the new row's alone.
void UnitedDay::replace(ReadingDay day, std::int64_t line, bool is_unlike) {
  for (auto& part : parts_) {
    if (part.slots == 0) continue;
    part.outcome.kept_line = line;
    part.outcome.is_unlike = is_unlike;
    part.outcome.is_older = part.stated != day.stated;
    end(part);
  }
  const auto part = new_part(line, day);
  parts_[part].slots = readings_of(day);
  part_of_.assign(day.mantissas.size(), static_cast<std::uint16_t>(part));
  day_ = std::move(day);
}

void UnitedDay::lose_to_day(std::int64_t line, const ReadingDay& day, bool is_unlike) {
  const auto kept =
      std::max_element(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
        return std::pair(a.slots > 0, a.outcome.line) < std::pair(b.slots > 0, b.outcome.line);
      });
  const auto kept_line = kept->outcome.line;
  auto& part = parts_[new_part(line, day)];
  part.outcome.kept_line = kept_line;
  part.outcome.is_unlike = is_unlike;
  part.outcome.is_older = day.stated != day_.stated;
  end(part);
}

/// Slot by slot; both have the same slots and decimals, and at least one reading.
void UnitedDay::unite(const ReadingDay& day, std::int64_t line) {
  const auto part = new_part(line, day);
  for (std::size_t slot = 0; slot < day.mantissas.size(); ++slot) {
    if (day.qualities[slot] == Quality::missing) continue;
    auto& ours = parts_[part];
    auto& owner = parts_[part_of_[slot]];
    const bool has_owner = day_.qualities[slot] != Quality::missing;
    const bool wins = !has_owner || day.stated >= owner.stated;
    if (has_owner) {
      auto& loser = wins ? owner.outcome : ours.outcome;
      const bool is_same = day.mantissas[slot] == day_.mantissas[slot] &&
                           day.qualities[slot] == day_.qualities[slot];
      loser.kept_line = wins ? line : owner.outcome.line;
      loser.is_older = day.stated != owner.stated;
      if (!is_same && !loser.is_older) ++loser.replaced;
    }
    if (!wins) continue;
    if (has_owner && --owner.slots == 0) end(owner);
    ++ours.slots;
    part_of_[slot] = static_cast<std::uint16_t>(part);
    day_.mantissas[slot] = day.mantissas[slot];
    day_.qualities[slot] = day.qualities[slot];
  }
  if (!day_.notes.empty() || !day.notes.empty()) unite_notes(day.notes, part);
  if (parts_[part].slots == 0) return end(parts_[part]);
  if (day.stated >= day_.stated && day.facts) day_.facts = day.facts;
  day_.stated = std::max(day_.stated, day.stated);
}

/// A slot has what its row says of it; one without reading what any row says.
void UnitedDay::unite_notes(const Notes& notes, std::size_t part) {
  Notes united;
  for (std::size_t slot = 0; slot < part_of_.size(); ++slot) {
    const bool is_missing = day_.qualities[slot] == Quality::missing;
    const bool is_new = !is_missing && part_of_[slot] == part;
    const auto* note = note_at(is_new ? notes : day_.notes, slot);
    if (note == nullptr && is_missing) note = note_at(notes, slot);
    if (note != nullptr) append(united, slot, slot + 1, *note);
  }
  day_.notes.swap(united);
  if (!fault_of(day_.notes, part_of_.size())) return;
  day_.notes.clear();
  lost_notes_ = true;
}

std::vector<RowOutcome> UnitedDay::outcomes() const {
  auto outcomes = lost_;
  for (const auto& part : parts_)
    if (part.slots > 0 && part.outcome.kept_line != 0) outcomes.push_back(part.outcome);
  return outcomes;
}

}  // namespace meterline::ingest
