#include "formats/plain_row.h"

#ifdef __x86_64__
#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstddef>

#ifndef __clang__
// GCC 12 takes the registers that its own header leaves undefined on purpose for mistakes.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

// Compiled for such processors whatever the rest of the program is compiled for.
#define METERLINE_VBMI2 \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,bmi,bmi2,popcnt")))
#endif

namespace meterline::formats {

#ifdef __x86_64__
namespace {

constexpr int block_bytes = 64;
constexpr int decimals_max = 6;

using Bytes = std::array<signed char, block_bytes>;

constexpr Bytes numbered = [] {
  Bytes bytes{};
  for (int i = 0; i < block_bytes; ++i)
    bytes[static_cast<std::size_t>(i)] = static_cast<signed char>(i);
  return bytes;
}();

/// A number takes a lane of `width` digits, the last one in its last byte. Here is, for each byte
/// of all lanes, the number of its lane.
template <int width>
constexpr Bytes lane_of_byte = [] {
  Bytes bytes{};
  for (int i = 0; i < block_bytes; ++i)
    bytes[static_cast<std::size_t>(i)] = static_cast<signed char>(i / width);
  return bytes;
}();

/// How far behind the end of a number with so many decimals the digit of each byte stands.
template <int width>
constexpr std::array<Bytes, decimals_max + 1> digit_offsets = [] {
  std::array<Bytes, decimals_max + 1> all{};
  for (int decimals = 0; decimals <= decimals_max; ++decimals)
    for (int i = 0; i < block_bytes; ++i) {
      const int place = i % width;
      const bool is_behind_point = decimals == 0 || place >= width - decimals;
      all[static_cast<std::size_t>(decimals)][static_cast<std::size_t>(i)] =
          static_cast<signed char>(place - width - (is_behind_point ? 0 : 1));
    }
  return all;
}();

METERLINE_VBMI2 inline __m512i load(const Bytes& bytes) { return _mm512_loadu_si512(bytes.data()); }

/// The numbers that the digits of each lane make, of which the first `count` are kept.
template <int width>
METERLINE_VBMI2 inline void store_numbers(__m512i digits, int count, std::int64_t* into) {
  const __m512i pairs = _mm512_maddubs_epi16(digits, _mm512_set1_epi16(1 << 8 | 10));
  const __m512i fours = _mm512_madd_epi16(pairs, _mm512_set1_epi32(1 << 16 | 100));
  const auto kept = _bzhi_u32(0xFFFF, static_cast<unsigned>(count));
  if constexpr (width == 4) {
    const __m512i low = _mm512_cvtepu32_epi64(_mm512_castsi512_si256(fours));
    const __m512i high = _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(fours, 1));
    _mm512_mask_storeu_epi64(into, static_cast<__mmask8>(kept), low);
    _mm512_mask_storeu_epi64(into + 8, static_cast<__mmask8>(kept >> 8), high);
  } else {
    const __m512i eights = _mm512_add_epi64(_mm512_mul_epu32(fours, _mm512_set1_epi64(10'000)),
                                            _mm512_srli_epi64(fours, 32));
    _mm512_mask_storeu_epi64(into, static_cast<__mmask8>(kept), eights);
  }
}

/// Reads a row of numbers of at most `width` digits, as many at a time as end within a block.
template <int width>
METERLINE_VBMI2 PlainRow read_row(const char* at, const char* end, int decimals,
                                  std::span<std::int64_t> mantissas) {
  constexpr int lanes = block_bytes / width;
  const int point_bytes = decimals > 0 ? 1 : 0;
  const __m128i shortest = _mm_set1_epi8(static_cast<char>(decimals + point_bytes + 1));
  const __m128i longest = _mm_set1_epi8(static_cast<char>(width + point_bytes));
  const __m512i offsets = load(digit_offsets<width>[static_cast<std::size_t>(decimals)]);
  const __m512i lane_of = load(lane_of_byte<width>);
  const __m512i zeros = _mm512_set1_epi8('0');
  std::uint64_t bad = 0;
  std::int64_t* into = mantissas.data();
  for (auto left = static_cast<int>(mantissas.size()); left > 0;) {
    if (end - at < block_bytes) return {};
    const __m512i block = _mm512_loadu_si512(at);
    const std::uint64_t points = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('.'));
    const std::uint64_t stops = _mm512_cmplt_epi8_mask(block, zeros) & ~points;
    const int count = std::min({static_cast<int>(_mm_popcnt_u64(stops)), lanes, left});
    if (count == 0) return {};
    const std::uint64_t last_stop = _pdep_u64(std::uint64_t{1} << (count - 1), stops);
    const std::uint64_t taken = _blsmsk_u64(last_stop);
    left -= count;

    const std::uint64_t commas = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(','));
    const std::uint64_t wants_comma = stops & (left > 0 ? taken : taken ^ last_stop);
    const std::uint64_t wants_point = decimals > 0 ? (stops & taken) >> (decimals + 1) : 0;
    bad |= (wants_comma & ~commas) | ((points & taken) ^ wants_point);

    const __m128i ends = _mm512_castsi512_si128(_mm512_maskz_compress_epi8(stops, load(numbered)));
    const __m128i before = _mm_alignr_epi8(ends, _mm_set1_epi8(-1), 15);
    const __m128i length = _mm_sub_epi8(_mm_sub_epi8(ends, before), _mm_set1_epi8(1));
    bad |= (_mm_cmplt_epi8_mask(length, shortest) | _mm_cmpgt_epi8_mask(length, longest)) &
           _bzhi_u32(0xFFFF, static_cast<unsigned>(count));

    const __m512i end_of = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(ends), lane_of);
    const __m512i before_of = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(before), lane_of);
    const __m512i from = _mm512_add_epi8(end_of, offsets);
    const __mmask64 is_digit = _mm512_cmpgt_epi8_mask(from, before_of);
    const __m512i digits =
        _mm512_maskz_sub_epi8(is_digit, _mm512_permutexvar_epi8(from, block), zeros);
    bad |= _mm512_cmpgt_epu8_mask(digits, _mm512_set1_epi8(9)) &
           _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(count * width));
    store_numbers<width>(digits, count, into);
    into += count;
    at += _tzcnt_u64(last_stop) + 1;
  }
  if (bad != 0) return {};
  return {.end = at - 1, .decimals = decimals};
}

/// The decimals of the first number, which begins at `at`; -1 when it is none of the form.
int decimals_of(const char* at, const char* end) {
  const auto digits_behind = [end](const char* from) {
    const auto* stop =
        std::find_if(from, std::min(from + 9, end), [](char c) { return c < '0' || c > '9'; });
    return static_cast<int>(stop - from);
  };
  const int whole = digits_behind(at);
  if (whole == 0 || end - at < block_bytes) return -1;
  if (at[whole] != '.') return 0;
  const int decimals = digits_behind(at + whole + 1);
  return decimals == 0 || decimals > decimals_max ? -1 : decimals;
}

bool has_vbmi2() {
  static const bool has = __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512vbmi") &&
                          __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2");
  return has;
}

}  // namespace

PlainRow read_plain_row(const char* at, const char* end, std::span<std::int64_t> mantissas) {
  if (!has_vbmi2()) return {};
  const int decimals = decimals_of(at, end);
  if (decimals < 0) return {};
  if (decimals < 4) {
    const auto row = read_row<4>(at, end, decimals, mantissas);
    if (row.end != nullptr) return row;
  }
  return read_row<8>(at, end, decimals, mantissas);
}

#else

PlainRow read_plain_row(const char* /*at*/, const char* /*end*/,
                        std::span<std::int64_t> /*mantissas*/) {
  return {};
}

#endif

}  // namespace meterline::formats
