#include "store/rocksdb/month_totals.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <tuple>

#include "core/try.h"
#include "store/bits.h"

namespace meterline::store {
namespace {

constexpr std::uint32_t days_mask = (std::uint32_t{1} << month_days_max) - 1;
/// Beside the bits of the days: every one of them has a total.
constexpr std::uint32_t all_plain = std::uint32_t{1} << month_days_max;
/// Totals up to here may start at any bit of a byte and still lie in one word of 8 bytes; wider
/// ones take whole words.
constexpr unsigned narrow_bits_max = 56;

tl::unexpected<Error> damaged() { return fail(Errc::corrupt, "a month of totals is damaged"); }

bool take_word(std::string_view& bytes, std::uint32_t& word) {
  if (bytes.size() < sizeof(word)) return false;
  std::memcpy(&word, bytes.data(), sizeof(word));
  bytes.remove_prefix(sizeof(word));
  return true;
}

void put_word(std::uint32_t word, std::string& out) {
  out.append(reinterpret_cast<const char*>(&word), sizeof(word));
}

std::size_t packed_bytes(std::uint32_t plain, unsigned width) {
  return (static_cast<std::size_t>(std::popcount(plain)) * width + 7) / 8;
}

auto identity_of(const GivenTotal& entry) {
  return std::tie(entry.grid, entry.day, entry.delivery);
}

using Entries = std::span<const GivenTotal>;

/// Those of the layer that there are; at least one.
void put_totals(Entries layer, std::string& out) {
  std::optional<std::int64_t> lowest;
  std::int64_t highest = 0;
  for (const auto& entry : layer) {
    if (!entry.total) continue;
    highest = lowest ? std::max(highest, *entry.total) : *entry.total;
    lowest = lowest ? std::min(*lowest, *entry.total) : *entry.total;
  }
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

/// Of one grid, days strictly ascending.
void put_layer(Entries layer, std::string& out) {
  put_varint(layer.front().grid.size(), out);
  out += layer.front().grid;
  std::uint32_t days = 0;
  std::uint32_t plain = 0;
  std::array<std::uint32_t, month_days_max> deliveries;
  for (std::size_t i = 0; i < layer.size(); ++i) {
    const std::uint32_t bit = std::uint32_t{1} << layer[i].day;
    days |= bit;
    if (layer[i].total) plain |= bit;
    deliveries[i] = layer[i].delivery;
  }
  put_word(days | (plain == days ? all_plain : 0), out);
  if (plain != days) put_word(plain, out);
  put_deliveries(std::span(deliveries).first(layer.size()), out);
  if (plain != 0) put_totals(layer, out);
}

bool is_one_layer(Entries entries) {
  for (std::size_t i = 1; i < entries.size(); ++i)
    if (entries[i].grid != entries[0].grid || entries[i].day <= entries[i - 1].day) return false;
  return true;
}

/// Sorts, leaves of equal entries the one with the greatest total, and returns those left.
std::span<GivenTotal> unite(std::span<GivenTotal> entries) {
  std::sort(entries.begin(), entries.end(), [](const GivenTotal& a, const GivenTotal& b) {
    return std::tuple_cat(identity_of(a), std::tie(b.total)) <
           std::tuple_cat(identity_of(b), std::tie(a.total));
  });
  const auto last = std::unique(
      entries.begin(), entries.end(),
      [](const GivenTotal& a, const GivenTotal& b) { return identity_of(a) == identity_of(b); });
  return entries.first(static_cast<std::size_t>(last - entries.begin()));
}

/// Of united entries of one grid: of the deliveries that gave a day, the first is in the first
/// layer, the second in the second.
void put_layers(Entries entries, std::string& out) {
  std::vector<std::vector<GivenTotal>> layers;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    depth = i > 0 && entries[i].day == entries[i - 1].day ? depth + 1 : 0;
    if (depth == layers.size()) layers.emplace_back();
    layers[depth].push_back(entries[i]);
  }
  for (const auto& layer : layers) put_layer(layer, out);
}

}  // namespace

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
    return damaged();
  counted.substituted = static_cast<std::uint16_t>(*substituted);
  counted.estimated = static_cast<std::uint16_t>(*estimated);
  return counted;
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

std::uint32_t TotalsLayer::delivery(std::uint32_t day) const {
  const auto only = deliveries_.only();
  return only ? *only : deliveries_.at(rank_of(days_, day));
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
  if (value.empty()) return damaged();
  if (static_cast<unsigned char>(value[0]) != month_totals_format)
    return fail(Errc::corrupt, "a month of totals is in a format this program does not know");
  return MonthTotals(value.substr(1));
}

Result<bool> MonthTotals::next(TotalsLayer& layer) {
  if (rest_.empty()) return false;
  const auto grid_size = take_varint(rest_);
  if (!grid_size || *grid_size > rest_.size()) return damaged();
  layer.grid_ = rest_.substr(0, *grid_size);
  rest_.remove_prefix(*grid_size);

  if (!take_word(rest_, layer.days_)) return damaged();
  const bool is_all_plain = (layer.days_ & all_plain) != 0;
  layer.days_ &= days_mask;
  layer.plain_ = layer.days_;
  if (!is_all_plain && !take_word(rest_, layer.plain_)) return damaged();
  if (layer.days_ == 0 || (layer.plain_ & ~layer.days_) != 0) return damaged();
  const auto count = static_cast<std::size_t>(std::popcount(layer.days_));
  if (!layer.deliveries_.take(rest_, count) || !layer.take_totals(rest_)) return damaged();
  return true;
}

void write_month_totals(std::span<GivenTotal> entries, std::string& out) {
  out += static_cast<char>(month_totals_format);
  if (entries.empty()) return;
  if (is_one_layer(entries)) return put_layer(entries, out);
  Entries rest = unite(entries);
  while (!rest.empty()) {
    const auto next = std::find_if(rest.begin(), rest.end(), [&](const GivenTotal& entry) {
      return entry.grid != rest.front().grid;
    });
    const auto count = static_cast<std::size_t>(next - rest.begin());
    put_layers(rest.first(count), out);
    rest = rest.subspan(count);
  }
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
        if ((layer.plain() >> day & 1) != 0) all.back().total = layer.total(day);
      }
    }
  }
  merged.clear();
  write_month_totals(all, merged);
  return {};
}

}  // namespace meterline::store
