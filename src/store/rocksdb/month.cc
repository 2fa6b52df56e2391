#include "store/rocksdb/month.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>

#include "core/try.h"
#include "store/bits.h"

namespace meterline::store::rocksdb {
namespace {

/// Beside the bits of the days, in `totals`: every one of them has a total.
constexpr std::uint32_t all_plain = std::uint32_t{1} << month_days_max;
static_assert((all_plain & all_month_days) == 0);
/// Totals up to here may start at any bit of a byte and still lie in one word of 8 bytes; wider
/// ones take whole words.
constexpr unsigned narrow_bits_max = 56;
static_assert(narrow_bits_max + 7 < 64);
/// Of the number of a layer's first delivery.
constexpr int mode_bits = 2;

tl::unexpected<Error> damaged() { return fail(Errc::corrupt, "a month of readings is damaged"); }
tl::unexpected<Error> damaged_totals() {
  return fail(Errc::corrupt, "a month of totals is damaged");
}

bool take_word(std::string_view& bytes, std::uint32_t& word) {
  if (bytes.size() < sizeof(word)) return false;
  std::memcpy(&word, bytes.data(), sizeof(word));
  bytes.remove_prefix(sizeof(word));
  return true;
}

void put_word(std::uint32_t word, std::string& out) {
  out.append(reinterpret_cast<const char*>(&word), sizeof(word));
}

/// Whether each number is `step` more than the one before it.
bool rises_by(std::uint32_t step, std::span<const std::uint32_t> numbers) {
  return std::adjacent_find(numbers.begin(), numbers.end(), [&](auto before, auto after) {
           return std::uint64_t{before} + step != after;
         }) == numbers.end();
}

template <class Entry>
using Entries = std::span<const Entry>;

// --- What is put of a layer in `days` -------------------------------------------------------

const std::string_view& content_of(const MonthEntry& entry) { return entry.body; }

void put_days(std::uint32_t days, Entries<MonthEntry> /*layer*/, std::string& out) {
  put_word(days, out);
}

void put_content(Entries<MonthEntry> layer, std::string& out) {
  for (const auto& entry : layer) put_varint(entry.body.size(), out);
  for (const auto& entry : layer) out += entry.body;
}

// --- And in `totals` --------------------------------------------------------------------------

const std::optional<std::int64_t>& content_of(const GivenTotal& entry) { return entry.total; }

void put_days(std::uint32_t days, Entries<GivenTotal> layer, std::string& out) {
  std::uint32_t plain = 0;
  for (const auto& entry : layer)
    if (entry.total) plain |= std::uint32_t{1} << entry.day;
  put_word(days | (plain == days ? all_plain : 0), out);
  if (plain != days) put_word(plain, out);
}

/// The totals that there are.
void put_content(Entries<GivenTotal> layer, std::string& out) {
  std::optional<std::int64_t> lowest;
  std::int64_t highest = 0;
  for (const auto& entry : layer) {
    if (!entry.total) continue;
    highest = lowest ? std::max(highest, *entry.total) : *entry.total;
    lowest = lowest ? std::min(*lowest, *entry.total) : *entry.total;
  }
  if (!lowest) return;
  const auto base = static_cast<std::uint64_t>(*lowest);
  auto width = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(highest) - base));
  if (width > narrow_bits_max) width = 64;
  put_varint(zigzag(*lowest), out);
  out += static_cast<char>(width);

  // Each total is added to the word that its first bit lies in.
  std::array<char, (month_days_max + 1) * sizeof(std::uint64_t)> packed{};
  std::size_t bits = 0;
  for (const auto& entry : layer) {
    if (!entry.total) continue;
    std::uint64_t word = 0;
    std::memcpy(&word, &packed[bits / 8], sizeof(word));
    word |= (static_cast<std::uint64_t>(*entry.total) - base) << bits % 8;
    std::memcpy(&packed[bits / 8], &word, sizeof(word));
    bits += width;
  }
  out.append(packed.data(), (bits + 7) / 8);
}

// --- What layers of both kinds have in common, whatever an Entry holds ------------------------

template <class Entry>
auto identity_of(const Entry& entry) {
  return std::tie(entry.grid, entry.day, entry.delivery);
}

/// Whether they are of one grid, each of another day, ascending.
template <class Entry>
bool is_one_layer(Entries<Entry> entries) {
  for (std::size_t i = 1; i < entries.size(); ++i)
    if (entries[i].day <= entries[i - 1].day || entries[i].grid != entries[i - 1].grid)
      return false;
  return true;
}

/// Sorts, and returns without those that are there twice: the one with the greatest content stays.
template <class Entry>
std::span<Entry> united(std::span<Entry> entries) {
  const auto order = [](const Entry& a, const Entry& b) {
    return std::tuple_cat(identity_of(a), std::tie(content_of(b))) <
           std::tuple_cat(identity_of(b), std::tie(content_of(a)));
  };
  if (!std::is_sorted(entries.begin(), entries.end(), order))
    std::sort(entries.begin(), entries.end(), order);
  const auto last = std::unique(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return identity_of(a) == identity_of(b);
  });
  return entries.first(static_cast<std::size_t>(last - entries.begin()));
}

template <class Entry>
void put_layer(Entries<Entry> layer, std::string& out) {
  put_varint(layer.front().grid.size(), out);
  out += layer.front().grid;
  std::uint32_t days = 0;
  std::array<std::uint32_t, month_days_max> deliveries;
  for (std::size_t i = 0; i < layer.size(); ++i) {
    days |= std::uint32_t{1} << layer[i].day;
    deliveries[i] = layer[i].delivery;
  }
  put_days(days, layer, out);
  put_deliveries(std::span(deliveries).first(layer.size()), out);
  put_content(layer, out);
}

/// Of united entries of one grid: of the deliveries that gave a day, the first is in the first
/// layer, the second in the second.
template <class Entry>
void put_layers_of_grid(Entries<Entry> entries, std::string& out) {
  std::vector<std::vector<Entry>> layers;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    depth = i > 0 && entries[i].day == entries[i - 1].day ? depth + 1 : 0;
    if (depth == layers.size()) layers.emplace_back();
    layers[depth].push_back(entries[i]);
  }
  for (const auto& layer : layers) put_layer(Entries<Entry>(layer), out);
}

template <class Entry>
void put_layers(std::span<Entry> entries, std::string& out) {
  if (entries.empty()) return;
  if (is_one_layer(Entries<Entry>(entries))) return put_layer(Entries<Entry>(entries), out);
  Entries<Entry> rest = united(entries);
  while (!rest.empty()) {
    const auto next = std::find_if(rest.begin(), rest.end(), [&](const Entry& entry) {
      return entry.grid != rest.front().grid;
    });
    const auto count = static_cast<std::size_t>(next - rest.begin());
    put_layers_of_grid(rest.first(count), out);
    rest = rest.subspan(count);
  }
}

class BodiesLayer : public Layer {
 public:
  /// Takes the layer at the front of `block`, and appends the entries of the wanted days.
  bool take(std::string_view& block, std::uint32_t wanted, std::vector<MonthEntry>& entries) {
    if (!take_grid(block) || (days_ & ~all_month_days) != 0 || !take_deliveries(block))
      return false;
    // Bodies are found by adding up the sizes of those before them, so that no other is touched.
    const auto count = static_cast<std::size_t>(std::popcount(days_));
    std::array<std::size_t, month_days_max + 1> begins;
    begins[0] = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto size = take_varint(block);
      if (!size || *size > block.size()) return false;
      begins[i + 1] = begins[i] + *size;
    }
    if (begins[count] > block.size()) return false;
    std::uint32_t days = days_;
    for (std::size_t i = 0; i < count; ++i, days &= days - 1) {
      const auto day = static_cast<std::uint32_t>(std::countr_zero(days));
      if (!is_in(wanted, day)) continue;
      entries.push_back({.grid = grid_,
                         .day = day,
                         .delivery = deliveries_.at(i),
                         .body = block.substr(begins[i], begins[i + 1] - begins[i])});
    }
    block.remove_prefix(begins[count]);
    return true;
  }
};

std::size_t packed_bytes(std::uint32_t plain, unsigned width) {
  return (static_cast<std::size_t>(std::popcount(plain)) * width + 7) / 8;
}

}  // namespace

bool LayerDeliveries::take(std::string_view& bytes, std::size_t count) {
  const auto head = take_varint(bytes);
  if (!head || *head >> mode_bits > UINT32_MAX) return false;
  first_ = static_cast<std::uint32_t>(*head >> mode_bits);
  mode_ = static_cast<Mode>(*head & low_bits(mode_bits));
  switch (mode_) {
    case Mode::same:
      return true;
    case Mode::rising:
      return count - 1 <= UINT32_MAX - first_;
    case Mode::steps:
      return take_steps(bytes, count);
  }
  return false;
}

bool LayerDeliveries::take_steps(std::string_view& bytes, std::size_t count) {
  std::int64_t number = first_;
  numbers_[0] = first_;
  for (std::size_t i = 1; i < count; ++i) {
    const auto step = take_varint(bytes);
    if (!step || *step > 2 * std::uint64_t{UINT32_MAX}) return false;
    number += unzigzag(*step);
    if (number < 0 || number > UINT32_MAX) return false;
    numbers_[i] = static_cast<std::uint32_t>(number);
  }
  return true;
}

void put_deliveries(std::span<const std::uint32_t> numbers, std::string& out) {
  using Mode = LayerDeliveries::Mode;
  const Mode mode = rises_by(0, numbers)   ? Mode::same
                    : rises_by(1, numbers) ? Mode::rising
                                           : Mode::steps;
  put_varint(std::uint64_t{numbers.front()} << mode_bits | static_cast<std::uint64_t>(mode), out);
  for (std::size_t i = 1; mode == Mode::steps && i < numbers.size(); ++i)
    put_varint(zigzag(std::int64_t{numbers[i]} - std::int64_t{numbers[i - 1]}), out);
}

bool Layer::take_grid(std::string_view& bytes) {
  const auto grid = take_sized(bytes);
  if (!grid || !take_word(bytes, days_)) return false;
  grid_ = *grid;
  return (days_ & all_month_days) != 0;
}

bool Layer::take_deliveries(std::string_view& bytes) {
  return deliveries_.take(bytes, static_cast<std::size_t>(std::popcount(days_)));
}

Result<void> read_month_block(std::string_view block, std::uint32_t wanted,
                              std::vector<MonthEntry>& entries) {
  entries.clear();
  if (block.empty()) return damaged();
  if (static_cast<unsigned char>(block[0]) != month_block_format)
    return fail(Errc::corrupt, "a month of readings is in a format this program does not know");
  block.remove_prefix(1);
  BodiesLayer layer;
  while (!block.empty())
    if (!layer.take(block, wanted, entries)) return damaged();
  return {};
}

void write_month_block(std::span<MonthEntry> entries, std::string& out) {
  out += static_cast<char>(month_block_format);
  put_layers(entries, out);
}

Result<void> merge_month_blocks(std::span<const std::string_view> blocks, std::string& merged) {
  std::vector<MonthEntry> all;
  std::vector<MonthEntry> some;
  for (const auto block : blocks) {
    METERLINE_CHECK(read_month_block(block, some));
    all.insert(all.end(), some.begin(), some.end());
  }
  merged.clear();
  write_month_block(all, merged);
  return {};
}

void append_counts(const CompleteTotal& total, std::string& grid) {
  put_varint(total.substituted, grid);
  put_varint(total.estimated, grid);
}

Result<CountedGrid> read_counted_grid(std::string_view grid) {
  CountedGrid counted;
  METERLINE_TRY(counted.info, take_grid(grid));
  if (grid.empty()) return counted;
  const auto substituted = take_varint(grid);
  const auto estimated = take_varint(grid);
  const auto slots = static_cast<std::uint64_t>(counted.info.slots);
  if (!substituted || !estimated || *substituted > slots || *estimated > slots - *substituted ||
      !grid.empty())
    return damaged_totals();
  counted.substituted = static_cast<std::uint16_t>(*substituted);
  counted.estimated = static_cast<std::uint16_t>(*estimated);
  return counted;
}

bool TotalsLayer::take(std::string_view& bytes) {
  if (!take_grid(bytes)) return false;
  const bool is_all_plain = (days_ & all_plain) != 0;
  days_ &= all_month_days;
  plain_ = days_;
  if (!is_all_plain && !take_word(bytes, plain_)) return false;
  return (plain_ & ~days_) == 0 && take_deliveries(bytes) && take_totals(bytes);
}

bool TotalsLayer::take_totals(std::string_view& bytes) {
  packed_ = {};
  if (plain_ == 0) return true;
  const auto lowest = take_varint(bytes);
  if (!lowest || bytes.empty()) return false;
  lowest_ = static_cast<std::uint64_t>(unzigzag(*lowest));
  width_ = static_cast<unsigned char>(bytes[0]);
  bytes.remove_prefix(1);
  if (width_ > narrow_bits_max && width_ != 64) return false;
  const std::size_t size = packed_bytes(plain_, width_);
  if (size > bytes.size()) return false;
  packed_ = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

std::int64_t TotalsLayer::total(std::uint32_t day) const {
  const std::size_t at = rank_of(plain_, day) * width_;
  const char* const from = packed_.data() + at / 8;
  const std::size_t left = packed_.size() - at / 8;
  std::uint64_t word = 0;
  if (left >= sizeof(word))
    std::memcpy(&word, from, sizeof(word));
  else
    std::memcpy(&word, from, left);
  word >>= at % 8;
  if (width_ < 64) word &= (std::uint64_t{1} << width_) - 1;
  return static_cast<std::int64_t>(lowest_ + word);
}

Result<MonthTotals> MonthTotals::open(std::string_view value) {
  if (value.empty()) return damaged_totals();
  if (static_cast<unsigned char>(value[0]) != month_totals_format)
    return fail(Errc::corrupt, "a month of totals is in a format this program does not know");
  return MonthTotals(value.substr(1));
}

Result<bool> MonthTotals::next(TotalsLayer& layer) {
  if (rest_.empty()) return false;
  if (!layer.take(rest_)) return damaged_totals();
  return true;
}

void write_month_totals(std::span<GivenTotal> entries, std::string& out) {
  out += static_cast<char>(month_totals_format);
  put_layers(entries, out);
}

Result<void> merge_month_totals(std::span<const std::string_view> values, std::string& merged) {
  std::vector<GivenTotal> all;
  TotalsLayer layer;
  for (const auto value : values) {
    METERLINE_TRY(auto layers, MonthTotals::open(value));
    for (;;) {
      METERLINE_TRY(const bool is_there, layers.next(layer));
      if (!is_there) break;
      for (auto days = layer.days(); days != 0; days &= days - 1) {
        const auto day = static_cast<std::uint32_t>(std::countr_zero(days));
        all.push_back(
            {.grid = layer.grid(), .day = day, .delivery = layer.delivery(day), .total = {}});
        if (is_in(layer.plain(), day)) all.back().total = layer.total(day);
      }
    }
  }
  merged.clear();
  write_month_totals(all, merged);
  return {};
}

}  // namespace meterline::store::rocksdb
