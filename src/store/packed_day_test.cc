#include "store/packed_day.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "store/bits.h"

namespace meterline::store {
namespace {

using namespace std::string_literals;

/// `1 2 - 3e`: a reading a word; `-` is missing, a trailing `e` or `s` is the quality.
ReadingDay day_of(const std::string& words, int minutes = 30, int exponent = 0) {
  ReadingDay day;
  day.interval = *IntervalLength::from_minutes(minutes);
  day.exponent = static_cast<std::int8_t>(exponent);
  std::istringstream in(words);
  for (std::string word; in >> word;) {
    const bool missing = word == "-";
    const char last = word.back();
    day.mantissas.push_back(missing ? 0 : std::stoll(word));
    day.qualities.push_back(missing       ? Quality::missing
                            : last == 'e' ? Quality::estimated
                            : last == 's' ? Quality::substituted
                                          : Quality::actual);
  }
  return day;
}

std::string bytes_of(const ReadingDay& day) {
  std::string packed;
  pack_day(day, packed);
  return packed;
}

std::string hex_of(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (!out.empty()) out += ' ';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string repeat(const std::string& word, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += word + ' ';
  return out;
}

TEST(PackedDay, StandsByteForByteAsDocumented) {
  // The worked examples of docs/store.md.
  EXPECT_EQ(hex_of(bytes_of(day_of("5 7 4 4", 30, -3))), "02 0c 03 04 01 04 20 19");
  EXPECT_EQ(hex_of(bytes_of(day_of("5 - 4e 4", 60))), "02 0d 00 04 40 04 04 07 06 04 00 34");
  EXPECT_EQ(hex_of(bytes_of(day_of("0 0 0 100", 60))), "02 0d 00 04 00 07 00 00 08 b0 01");
}

/// The example of docs/store.md with notes.
ReadingDay noted_day() {
  auto day = day_of("5s 7s - 4s", 60);
  day.notes = {{0, 2, {"S", "14", "32", "fuse"}}, {2, 3, {"N"}}, {3, 4, {"S", "14", "32", "fuse"}}};
  return day;
}

TEST(PackedDay, WithNotesStandsByteForByteAsDocumented) {
  EXPECT_EQ(hex_of(bytes_of(noted_day())),
            "02 0d 00 04 c2 1b 00 02 00 01 53 02 31 34 02 33 32 04 66 75 73 65 "
            "00 01 00 01 4e 00 00 00 00 01 01 03 09 07 05 12 54");
}

TEST(PackedDay, ReadsBackWhatWasPacked) {
  const auto largest = std::to_string(std::numeric_limits<std::int64_t>::max());
  const auto smallest = std::to_string(std::numeric_limits<std::int64_t>::min());
  const ReadingDay days[] = {
      day_of(repeat("0", 48)),
      day_of(repeat("-", 48)),
      day_of(repeat("1 - 2e 3s", 12)),
      day_of(largest + ' ' + smallest + ' ' + largest + " 0", 60, -18),
      day_of(repeat("7", slots_max), 1),
      day_of("-5", 5, -1),
  };
  for (const auto& day : days) {
    ReadingDay back;
    ASSERT_TRUE(unpack_day(bytes_of(day), back)) << day;
    EXPECT_EQ(back, day);
  }
}

TEST(PackedDay, AnOrdinaryDayTakesLittleMoreThanAByteAReading) {
  std::string words;
  for (int i = 0; i < 48; ++i) words += std::to_string(200 + (i * 37) % 120) + ' ';
  EXPECT_LE(bytes_of(day_of(words)).size(), 4U + 48 * 9 / 8);
}

/// Over any slots, of few words and of many.
Notes any_notes(std::size_t slots) {
  const auto kinds = *rc::gen::element(2, 100);
  const auto word = [&] { return std::to_string(*rc::gen::inRange(0, kinds)); };
  Notes notes;
  for (auto slot = *rc::gen::inRange<std::size_t>(0, slots); slot < slots;) {
    const auto end = std::min(slots, slot + *rc::gen::inRange<std::size_t>(1, 4));
    Note note{.reason_code = word(), .reason_text = word()};
    if (*rc::gen::arbitrary<bool>()) note.flag = "Geschätzt";
    if (*rc::gen::arbitrary<bool>()) note.method.assign(note_word_bytes_max, 'x');
    append(notes, slot, end, note);
    slot = end + *rc::gen::inRange<std::size_t>(0, 3);
  }
  return notes;
}

/// Any slots and qualities; readings of at most so many bits as drawn, and a few of any size.
ReadingDay any_day() {
  ReadingDay day;
  day.interval = *IntervalLength::from_minutes(*rc::gen::element(1, 5, 10, 15, 30, 60));
  day.exponent = static_cast<std::int8_t>(-*rc::gen::inRange(0, 19));
  if (*rc::gen::inRange(0, 3) == 0)
    day.stated = Instant{.micros = *rc::gen::arbitrary<std::int64_t>()};
  if (*rc::gen::inRange(0, 4) == 0) day.origin = Origin::estimate;
  if (*rc::gen::inRange(0, 3) == 0)
    day.zone = TimeZone::parse(
                   *rc::gen::element<std::string>("UTC", "-15:59", "+10:00", "Australia/Sydney"))
                   .value();
  if (*rc::gen::inRange(0, 3) == 0)
    day.facts = {
        .serial = *rc::gen::element<std::string>("M1", "Zähler 7"),
        .register_id = std::string(*rc::gen::element(0U, 3U, 64U), 'x'),
        .sent = *rc::gen::element<std::optional<Unit>>(std::nullopt, Unit::unknown, Unit::m3)};
  const auto slots = *rc::gen::inRange(1, 120);
  const auto bits = *rc::gen::inRange(1, 65);
  const bool is_plain = *rc::gen::arbitrary<bool>();
  for (int i = 0; i < slots; ++i) {
    const int drawn = *rc::gen::weightedElement<int>({{8, 0}, {1, 1}, {1, 2}, {2, 3}});
    const auto quality = static_cast<Quality>(is_plain ? 0 : drawn);
    const int shift = *rc::gen::inRange(0, 40) == 0 ? 0 : 64 - bits;
    const auto value = *rc::gen::arbitrary<std::uint64_t>() >> shift;
    const auto sign = *rc::gen::inRange(0, 10) == 0 ? ~std::uint64_t{0} : 0;
    day.qualities.push_back(quality);
    day.mantissas.push_back(quality == Quality::missing ? 0
                                                        : static_cast<std::int64_t>(value ^ sign));
  }
  if (*rc::gen::inRange(0, 3) == 0) day.notes = any_notes(static_cast<std::size_t>(slots));
  return day;
}

RC_GTEST_PROP(PackedDay, ReadsBackAnyDay, ()) {
  const auto day = any_day();
  ReadingDay back;
  RC_ASSERT(unpack_day(bytes_of(day), back).has_value());
  RC_ASSERT(back == day);
}

RC_GTEST_PROP(PackedDay, TellsThePlainTotal, ()) {
  const auto day = any_day();
  std::string packed;
  RC_ASSERT(pack_day(day, packed) == plain_total(day));
}

RC_GTEST_PROP(PackedDay, TellsTheTotalOfACompleteDay, ()) {
  auto day = any_day();
  const bool lacks_some = *rc::gen::arbitrary<bool>();
  for (std::size_t i = 0; i < day.qualities.size(); ++i)
    if (!lacks_some && day.qualities[i] == Quality::missing) day.qualities[i] = Quality::estimated;
  const auto of = [&](Quality quality) {
    return static_cast<std::uint16_t>(
        std::count(day.qualities.begin(), day.qualities.end(), quality));
  };
  std::optional<CompleteTotal> wanted =
      CompleteTotal{.substituted = of(Quality::substituted), .estimated = of(Quality::estimated)};
  for (const auto mantissa : day.mantissas)
    if (wanted && __builtin_add_overflow(wanted->mantissa, mantissa, &wanted->mantissa))
      wanted.reset();
  if (of(Quality::missing) > 0) wanted.reset();
  ReadingDay scratch;
  const auto total = complete_total(bytes_of(day), scratch);
  RC_ASSERT(total.has_value());
  RC_ASSERT(*total == wanted);
}

// The slow twin: bit by bit, as docs/store.md says.

std::vector<std::int64_t> present(const ReadingDay& day) {
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < day.mantissas.size(); ++i)
    if (day.qualities[i] != Quality::missing) values.push_back(day.mantissas[i]);
  return values;
}

void fill_byte(std::vector<bool>& bits) {
  while (bits.size() % 8 != 0) bits.push_back(false);
}

std::string slow_steps(const std::vector<std::int64_t>& values, int width) {
  std::vector<std::uint64_t> steps;
  std::uint64_t previous = 0;
  for (const auto value : values) {
    const auto step = static_cast<std::uint64_t>(value) - previous;
    steps.push_back(zigzag(static_cast<std::int64_t>(step)));
    previous = static_cast<std::uint64_t>(value);
  }
  std::vector<bool> bits;
  for (const auto step : steps)
    for (int i = 0; i < width; ++i) bits.push_back((step >> i & 1) != 0);
  fill_byte(bits);
  std::string escapes;
  for (const auto step : steps) {
    const auto quotient = step >> width;
    bits.insert(bits.end(), std::min<std::uint64_t>(quotient, 24), false);
    bits.push_back(true);
    if (quotient >= 24) put_varint(quotient - 24, escapes);
  }
  fill_byte(bits);
  std::string bytes(bits.size() / 8, '\0');
  for (std::size_t i = 0; i < bits.size(); ++i)
    if (bits[i]) bytes[i / 8] = static_cast<char>(bytes[i / 8] | 1 << (i % 8));
  return bytes + escapes;
}

/// Empty when the bytes are not exactly `count` readings.
std::optional<std::vector<std::int64_t>> slow_values(std::string_view bytes, int width,
                                                     std::size_t count) {
  std::size_t at = 0;
  bool ended = false;
  const auto next_bit = [&] {
    ended = ended || at / 8 >= bytes.size();
    const bool bit = !ended && (bytes[at / 8] >> (at % 8) & 1) != 0;
    ++at;
    return bit;
  };
  const auto finish_byte = [&] {
    bool clean = true;
    while (at % 8 != 0) clean = !next_bit() && clean;
    return clean && !ended;
  };
  std::vector<std::uint64_t> steps(count);
  for (auto& step : steps)
    for (int i = 0; i < width; ++i) step |= static_cast<std::uint64_t>(next_bit()) << i;
  if (!finish_byte()) return std::nullopt;
  std::vector<std::uint64_t> quotients(count);
  for (auto& quotient : quotients)
    while (!next_bit())
      if (++quotient > 24 || ended) return std::nullopt;
  if (!finish_byte()) return std::nullopt;
  bytes.remove_prefix(at / 8);
  std::vector<std::int64_t> values;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (quotients[i] == 24) {
      const auto above = take_varint(bytes);
      if (!above || *above > (~std::uint64_t{0} >> width) - 24) return std::nullopt;
      quotients[i] += *above;
    }
    value += static_cast<std::uint64_t>(unzigzag(steps[i] | quotients[i] << width));
    values.push_back(static_cast<std::int64_t>(value));
  }
  if (!bytes.empty()) return std::nullopt;
  return values;
}

RC_GTEST_PROP(PackedDay, StandsAsItsSlowTwinWritesIt, ()) {
  auto day = any_day();
  const auto packed = bytes_of(day);
  const auto parts = split_packed_day(packed).value();
  auto body = parts.body;
  const int head = static_cast<unsigned char>(body[0]);
  body.remove_prefix(1);
  if ((head & 0x80) != 0) take_sized(body);
  for (auto runs = (head & 0x40) != 0 ? take_varint(body).value() : 0; runs > 0; --runs)
    take_varint(body);
  RC_ASSERT(hex_of(body) == hex_of(slow_steps(present(day), head & 0x3F)));
}

/// What unpack_day makes of a body of `count` actual readings. The bytes stand alone on the heap,
/// so that AddressSanitizer sees what is read beyond them.
std::optional<std::vector<std::int64_t>> quick_values(std::string_view bytes, int width,
                                                      std::size_t count) {
  std::string packed{static_cast<char>(packed_day_format), 0x0C, 0};
  put_varint(count, packed);
  packed += static_cast<char>(width);
  packed += bytes;
  const std::vector<char> alone(packed.begin(), packed.end());
  ReadingDay day;
  if (!unpack_day({alone.data(), alone.size()}, day)) return std::nullopt;
  return day.mantissas;
}

RC_GTEST_PROP(PackedDay, AnyBytesAreReadAsTheSlowTwinReadsThem, ()) {
  const int width = *rc::gen::inRange(0, 57);
  const auto count = static_cast<std::size_t>(*rc::gen::inRange(1, 60));
  const auto quotients = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  std::string bytes((count * static_cast<std::size_t>(width) + 7) / 8, '\0');
  for (auto& byte : bytes) byte = *rc::gen::arbitrary<char>();
  bytes += quotients;
  RC_ASSERT(quick_values(bytes, width, count) == slow_values(bytes, width, count));
}

RC_GTEST_PROP(PackedDay, DamagedDaysAreReadAsTheSlowTwinReadsThem, ()) {
  std::vector<std::int64_t> values;
  const auto count = static_cast<std::size_t>(*rc::gen::inRange(1, 60));
  const auto bits = *rc::gen::inRange(1, 65);
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(
        static_cast<std::int64_t>(*rc::gen::arbitrary<std::uint64_t>() >> (64 - bits)));
  const int width = *rc::gen::inRange(0, 57);
  auto bytes = slow_steps(values, width);
  RC_ASSERT(quick_values(bytes, width, count) == values);
  const auto at = static_cast<std::size_t>(*rc::gen::inRange<std::size_t>(0, bytes.size()));
  bytes[at] = static_cast<char>(bytes[at] ^ 1 << *rc::gen::inRange(0, 8));
  RC_ASSERT(quick_values(bytes, width, count) == slow_values(bytes, width, count));
  bytes.resize(at);
  RC_ASSERT(quick_values(bytes, width, count) == slow_values(bytes, width, count));
}

TEST(PackedDay, ReadsBackValuesAtTheEdgesOfTheLanes) {
  // One odd reading among ordinary ones: the day is packed in 16, 32 or 64 bits by it.
  for (int bits = 1; bits < 63; ++bits) {
    const auto edge = static_cast<std::int64_t>(std::uint64_t{1} << bits);
    for (const auto value : {edge - 1, edge, -edge, std::int64_t{1} - edge}) {
      for (const int slot : {0, 1, 24, 47}) {
        auto day = day_of(repeat("200 350 120", 16));
        day.mantissas[static_cast<std::size_t>(slot)] = value;
        ReadingDay back;
        ASSERT_TRUE(unpack_day(bytes_of(day), back)) << day;
        EXPECT_EQ(back, day);
      }
    }
  }
}

TEST(PackedDay, AnOutlierCostsLittle) {
  auto day = day_of(repeat("200 350 120", 16));
  const auto usual = bytes_of(day).size();
  day.mantissas[20] = std::numeric_limits<std::int64_t>::max();
  EXPECT_LE(bytes_of(day).size(), usual + 30);
}

TEST(PackedDay, NoOtherWidthIsMuchShorter) {
  std::uint64_t state = 7;
  for (int round = 0; round < 200; ++round) {
    std::string words;
    for (int i = 0; i < 48; ++i) {
      state = state * 6364136223846793005 + 1442695040888963407;
      words += std::to_string(50 + (state >> 33) % (20U << round % 8)) + ' ';
    }
    const auto day = day_of(words);
    auto shortest = slow_steps(day.mantissas, 0).size();
    for (int width = 1; width < 20; ++width)
      shortest = std::min(shortest, slow_steps(day.mantissas, width).size());
    EXPECT_LE(bytes_of(day).size(), 4 + shortest * 102 / 100) << words;
  }
}

RC_GTEST_PROP(PackedDay, DamagedDaysAreRefusedOrPackTheSameAgain, ()) {
  auto bytes = bytes_of(any_day());
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  bytes[at] = *rc::gen::arbitrary<char>();
  if (*rc::gen::inRange(0, 4) == 0) bytes.resize(at);
  const std::vector<char> alone(bytes.begin(), bytes.end());
  ReadingDay day;
  if (!unpack_day({alone.data(), alone.size()}, day)) return;
  ReadingDay again;
  RC_ASSERT(unpack_day(bytes_of(day), again).has_value());
  RC_ASSERT(again == day);
}

RC_GTEST_PROP(PackedDay, AnyBytesAreRefusedOrPackTheSameAgain, (std::string bytes)) {
  if (!bytes.empty() && *rc::gen::inRange(0, 4) != 0) bytes[0] = packed_day_format;
  ReadingDay day;
  if (!unpack_day(bytes, day)) return;
  ReadingDay again;
  RC_ASSERT(unpack_day(bytes_of(day), again).has_value());
  RC_ASSERT(again == day);
}

TEST(PackedDay, EveryCutOffDayIsRefused) {
  for (const auto& packed :
       {bytes_of(day_of(repeat("100 - 250e 90s", 12))), bytes_of(noted_day())}) {
    ReadingDay day;
    for (std::size_t size = 0; size < packed.size(); ++size) {
      const std::vector<char> alone(packed.begin(),
                                    packed.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(unpack_day({alone.data(), size}, day)) << size;
    }
    EXPECT_FALSE(unpack_day(packed + '\0', day));
  }
}

/// A day of four slots, of which nothing is as it should be but `notes`.
bool are_taken(const std::string& notes) {
  std::string packed{static_cast<char>(packed_day_format), 0x0D, 0, 4, '\x80'};
  put_varint(notes.size(), packed);
  packed += notes;
  packed += '\x0F';
  const std::vector<char> alone(packed.begin(), packed.end());
  ReadingDay day;
  return unpack_day({alone.data(), alone.size()}, day).has_value();
}

TEST(PackedDay, DamagedNotesAreRefused) {
  const auto note = "\1S\0\0\0"s;
  EXPECT_TRUE(are_taken("\0\4\0"s + note));
  EXPECT_TRUE(are_taken("\1\1\0"s + note + "\1\1\1"s));
  EXPECT_FALSE(are_taken("")) << "none";
  EXPECT_FALSE(are_taken("\0\0\0"s + note)) << "of no slot";
  EXPECT_FALSE(are_taken("\0\5\0"s + note)) << "beyond the day";
  EXPECT_FALSE(are_taken("\4\1\0"s + note)) << "begins beyond the day";
  EXPECT_FALSE(are_taken("\0\1\1"s)) << "as one told before, of none";
  EXPECT_FALSE(are_taken("\0\1\0"s + note + "\1\1\2"s)) << "as the second of one";
  EXPECT_FALSE(are_taken("\0\1\0"s + note + "\0\1\1"s)) << "two that should be one";
  EXPECT_FALSE(are_taken("\0\1\0\0\0\0\0"s)) << "says nothing";
  EXPECT_FALSE(are_taken("\0\1\0\1\n\0\0\0"s)) << "a control character";
  EXPECT_FALSE(are_taken("\0\1\0\1\xFF\0\0\0"s)) << "not UTF-8";
  EXPECT_FALSE(are_taken("\0\1\0\x21"s + std::string(33, 'x') + "\0\0\0"s)) << "too long";
}

TEST(PackedDay, NotesNeedNoMoreRoomThanADayMayHave) {
  // A short text that is told again and again.
  std::string notes = "\0\1\0\0\0\0"s;
  put_varint(note_text_bytes_max, notes);
  notes.append(note_text_bytes_max, 'x');
  notes += "\1\1\0\0\0\0\1x"s;
  for (int i = 0; i < 34; ++i) notes += "\1\1\1\1\1\2"s;
  std::string packed{static_cast<char>(packed_day_format), 0x0C, 0};
  put_varint(1500, packed);
  packed += '\x80';
  const auto day_with = [&](std::string_view said) {
    auto bytes = packed;
    put_varint(said.size(), bytes);
    return bytes.append(said).append(187, '\xFF') + '\x0F';
  };
  ReadingDay day;
  EXPECT_TRUE(unpack_day(day_with(notes), day));
  for (int i = 0; i < 34; ++i) notes += "\1\1\1\1\1\2"s;
  EXPECT_FALSE(unpack_day(day_with(notes), day));
}

TEST(PackedDay, ANoteThatIsRepeatedCostsLittle) {
  auto day = day_of(repeat("200s 350s 120", 16));
  const auto bare = bytes_of(day).size();
  const Note note{"S", "14", "32", "a text of some length, as in a file of NEM12"};
  for (std::size_t slot = 0; slot < 48; slot += 3) append(day.notes, slot, slot + 2, note);
  EXPECT_LE(bytes_of(day).size(), bare + 16 * 3 + note.bytes() + 10);
}

TEST(PackedDay, TotalsPassOverNotes) {
  const auto day = noted_day();
  auto packed = bytes_of(day);
  packed.replace(packed.find("fuse"), 4, "\n\n\n\n");
  ReadingDay scratch;
  EXPECT_FALSE(unpack_day(packed, scratch));
  EXPECT_TRUE(complete_total(packed, scratch));
}

TEST(PackedDay, AnotherFormatIsRefused) {
  auto packed = bytes_of(day_of(repeat("1", 48)));
  for (const int format : {packed_day_format - 1, packed_day_format + 1}) {
    packed[0] = static_cast<char>(format);
    ReadingDay day;
    const auto result = unpack_day(packed, day);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::corrupt);
  }
}

TEST(PackedDay, TheGridTellsTheStatedTimeAndTheOrigin) {
  auto day = day_of("1 2 3", 15, -3);
  const Version delivered{.stated = {7}, .received = {9}, .tie = 3};
  const auto version = [&] {
    return version_of(split_packed_day(bytes_of(day)).value().grid, delivered).value();
  };
  EXPECT_EQ(version(), delivered);
  day.stated = Instant{.micros = -5};
  EXPECT_EQ(version(), (Version{.stated = {-5}, .received = {9}, .tie = 3}));
  day.origin = Origin::estimate;
  EXPECT_EQ(version(),
            (Version{.stated = {-5}, .origin = Origin::estimate, .received = {9}, .tie = 3}));
  day.stated.reset();
  EXPECT_EQ(version(),
            (Version{.stated = {7}, .origin = Origin::estimate, .received = {9}, .tie = 3}));
}

TEST(PackedDay, TheGridTellsOfTheChannel) {
  auto day = day_of("5 7 4 4", 30, -3);
  day.facts = {.serial = "M1", .register_id = "E1", .sent = Unit::Wh};
  const auto bytes = bytes_of(day);
  EXPECT_EQ(hex_of(bytes), "02 8c 03 04 07 02 4d 31 02 45 31 02 01 04 20 19");
  const auto grid = split_packed_day(bytes).value().grid;
  EXPECT_EQ(facts_of(grid).value(), day.facts);
  EXPECT_EQ(grid_info(grid).value().slots, 4);
  const auto is_damaged = [](std::string_view facts) {
    const auto read = facts_of(std::string("\x85\0", 2) + std::string(facts));
    return !read && read.error().code == Errc::corrupt;
  };
  EXPECT_FALSE(is_damaged(std::string_view("\4\1x\0\0", 5)));
  for (const std::string_view facts :
       {std::string_view("\3\0\0\0", 4), std::string_view("\4\1x\0\x15", 5),
        std::string_view("\4\1\n\0\0", 5), std::string_view("\4\1x\0", 4),
        std::string_view("\5\1x\0\0\0", 6), std::string_view("\3\1x\0", 4)})
    EXPECT_TRUE(is_damaged(facts)) << hex_of(std::string(facts));
}

TEST(PackedDay, TheGridTellsTheZone) {
  auto day = day_of("5 7 4 4", 30, -3);
  const auto bytes_in = [&](std::string_view zone) {
    day.zone = TimeZone::parse(zone).value();
    const auto bytes = bytes_of(day);
    EXPECT_EQ(grid_info(split_packed_day(bytes).value().grid).value().zone, day.zone);
    return hex_of(bytes);
  };
  EXPECT_EQ(bytes_in("+10:00"), "02 4c 03 04 e1 12 01 04 20 19");
  EXPECT_EQ(bytes_in("Asia/Tokyo"), "02 4c 03 04 14 41 73 69 61 2f 54 6f 6b 79 6f 01 04 20 19");
  const std::string_view head("\x45\0", 2);
  const auto zone_fault = [&](std::string_view zone) {
    const auto info = grid_info(std::string(head) + std::string(zone));
    return info ? std::string() : info.error().message;
  };
  EXPECT_EQ(zone_fault("\x12Mars/City"),
            "packed day: its time zone is damaged or missing here: "
            "\"Mars/City\" is no time zone that this machine knows "
            "(tz database " +
                tz_database_version() +
                " in /usr/share/zoneinfo, package tzdata): want UTC, "
                "an offset like +10:00, or a name of the tz database "
                "like Europe/London");
  for (const std::string_view damaged : {"\xc1\x1e", "\x06UTC", "\x0c+10:00",
                                         "\x04"
                                         "a",
                                         "\xff"})
    EXPECT_EQ(zone_fault(damaged), "packed day: a damaged time zone");
}

TEST(PackedDay, TheGridTellsIntervalSlotsAndDecimals) {
  const auto packed = bytes_of(day_of("1 2 3", 15, -3));
  const auto info = grid_info(split_packed_day(packed).value().grid).value();
  EXPECT_EQ(info.interval.minutes(), 15);
  EXPECT_EQ(info.exponent, -3);
  EXPECT_EQ(info.slots, 3);
  EXPECT_FALSE(info.stated);
  EXPECT_EQ(info.origin, Origin::source);
  EXPECT_FALSE(grid_info("\x0F"));
  EXPECT_FALSE(grid_info("\x85"s + '\0')) << "an unknown bit";
  EXPECT_FALSE(grid_info("\x15"s + '\0')) << "the stated time is cut off";
  EXPECT_FALSE(grid_info(std::string_view("\x07\0", 2)));
}

}  // namespace
}  // namespace meterline::store
