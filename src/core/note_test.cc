#include "core/note.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace meterline {
namespace {

using namespace std::string_literals;

constexpr std::size_t slots = 48;

Note flag(std::string text) { return {.flag = std::move(text)}; }

TEST(Note, IsReadAsOneLine) {
  EXPECT_EQ(text_of(Note{"S", "14", "32", "power outage"}), "S 14 32 power outage");
  EXPECT_EQ(text_of(Note{"", "", "32", "power outage"}), "32 power outage");
  EXPECT_EQ(text_of(Note{"S", "", "", "power outage"}), "S power outage");
  EXPECT_EQ(text_of(Note{}), "");
}

TEST(Notes, AreFoundByPlace) {
  const Notes notes = {{2, 4, flag("A")}, {4, 5, flag("B")}, {9, 10, flag("C")}};
  std::string found;
  for (std::size_t place = 0; place < 12; ++place) {
    const Note* const note = note_at(notes, place);
    found += note == nullptr ? "-" : note->flag;
  }
  EXPECT_EQ(found, "--AAB----C--");
  EXPECT_EQ(note_at({}, 0), nullptr);
}

/// Put together slot by slot, they tell each slot what was said of it, and can be kept.
RC_GTEST_PROP(Notes, SayWhatWasAppended, ()) {
  const auto drawn = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4));
  Notes notes;
  for (std::size_t slot = 0; slot < drawn.size(); ++slot)
    if (drawn[slot] > 0) append(notes, slot, slot + 1, flag(std::to_string(drawn[slot])));
  for (std::size_t slot = 0; slot < drawn.size(); ++slot) {
    const Note* const note = note_at(notes, slot);
    RC_ASSERT((note == nullptr) == (drawn[slot] == 0));
    if (note != nullptr) RC_ASSERT(note->flag == std::to_string(drawn[slot]));
  }
  RC_ASSERT(!fault_of(notes, drawn.size()));
}

TEST(Notes, AreKeptUpToTheirLimits) {
  const std::string word(note_word_bytes_max, 'x');
  const std::string text(note_text_bytes_max, 'x');
  EXPECT_FALSE(fault_of({}, slots));
  EXPECT_FALSE(fault_of({{0, slots, {word, word, word, text}}}, slots));
  EXPECT_FALSE(fault_of({{0, 1, flag("A")}, {1, 2, flag("B")}, {3, 48, flag("B")}}, slots));
  EXPECT_FALSE(fault_of({{0, 1, {"", "", "", "Zählerstand ungültig – 停電 🔌"}}}, slots));
  EXPECT_FALSE(fault_of({{0, 1, flag("\xC2\xA0")}}, slots)) << "a no-break space";

  for (const Note& note : {Note{}, Note{word + "x", "", "", ""}, Note{"", word + "x", "", ""},
                           Note{"", "", word + "x", ""}, Note{"", "", "", text + "x"}})
    EXPECT_TRUE(fault_of({{0, 1, note}}, slots)) << note;
}

TEST(Notes, OfOneDayAreBounded) {
  Notes notes;
  const std::string text(note_text_bytes_max, 'x');
  for (std::size_t slot = 0; (slot + 1) * (text.size() + 1) <= notes_bytes_max; ++slot)
    append(notes, slot, slot + 1, {.flag = slot % 2 == 0 ? "A" : "B", .reason_text = text});
  EXPECT_FALSE(fault_of(notes, 1500));
  append(notes, notes.size(), notes.size() + 1, {.flag = "C", .reason_text = text});
  EXPECT_EQ(fault_of(notes, 1500), "the notes of a day are too long");
}

TEST(Notes, AreCleanText) {
  for (const auto& text : {"\n"s, "a\0b"s, "\x1F"s, "\x7F"s, "\xC2\x80"s, "\xC2\x9F"s, "\xFF"s,
                           "\xC3"s, "a\xED\xA0\x80"s, "\xF4\x90\x80\x80"s})
    for (const Note& note : {Note{text, "", "", ""}, Note{"", text, "", ""}, Note{"", "", text, ""},
                             Note{"a", "", "", text}})
      EXPECT_EQ(fault_of({{0, 1, note}}, slots), "a note is not UTF-8, or has control characters");
}

TEST(Notes, HaveOneForm) {
  EXPECT_TRUE(fault_of({{1, 1, flag("A")}}, slots)) << "empty";
  EXPECT_TRUE(fault_of({{0, slots + 1, flag("A")}}, slots)) << "beyond the day";
  EXPECT_TRUE(fault_of({{0, 3, flag("A")}, {2, 4, flag("B")}}, slots)) << "over each other";
  EXPECT_TRUE(fault_of({{3, 4, flag("A")}, {0, 1, flag("B")}}, slots)) << "descending";
  EXPECT_TRUE(fault_of({{0, 1, flag("A")}, {1, 2, flag("A")}}, slots)) << "should be one";
}

}  // namespace
}  // namespace meterline
