#include "store/packed_notes.h"

#include <algorithm>
#include <array>

#include "store/bits.h"

namespace meterline::store {
namespace {

/// Only so many different notes of a day are found again; the others are written once more.
constexpr std::size_t told_max = 64;

/// Where the different notes of a day were told first, by place among its runs.
class Told {
 public:
  void add(std::size_t run) {
    if (size_ < told_max) runs_[size_++] = run;
  }
  std::size_t size() const { return size_; }
  std::size_t operator[](std::size_t number) const { return runs_.at(number); }

  /// size() when it was not told.
  std::size_t find(const Note& note, const Notes& notes) const {
    std::size_t number = 0;
    while (number < size_ && notes[runs_.at(number)].note != note) ++number;
    return number;
  }

 private:
  std::array<std::size_t, told_max> runs_;
  std::size_t size_ = 0;
};

void put_text(std::string_view text, std::string& out) {
  put_varint(text.size(), out);
  out += text;
}

bool take_text(std::string_view& packed, std::size_t bytes_max, std::string& text) {
  const auto taken = take_sized(packed);
  if (!taken || taken->size() > bytes_max) return false;
  text = *taken;
  return true;
}

bool take_note(std::string_view& packed, Note& note) {
  return take_text(packed, note_word_bytes_max, note.flag) &&
         take_text(packed, note_word_bytes_max, note.method) &&
         take_text(packed, note_word_bytes_max, note.reason_code) &&
         take_text(packed, note_text_bytes_max, note.reason_text);
}

}  // namespace

void pack_notes(const Notes& notes, std::string& out) {
  Told told;
  std::size_t end = 0;
  for (std::size_t i = 0; i < notes.size(); ++i) {
    const auto& [first, behind, note] = notes[i];
    put_varint(first - end, out);
    put_varint(behind - first, out);
    end = behind;
    const auto number = told.find(note, notes);
    if (number < told.size()) {
      put_varint(number + 1, out);
      continue;
    }
    told.add(i);
    put_varint(0, out);
    for (const auto* part : {&note.flag, &note.method, &note.reason_code, &note.reason_text})
      put_text(*part, out);
  }
}

bool unpack_notes(std::string_view packed, std::size_t slots, Notes& notes) {
  notes.clear();
  if (packed.empty()) return false;
  Told told;
  for (std::size_t end = 0; !packed.empty();) {
    const auto step = take_varint(packed);
    const auto length = take_varint(packed);
    const auto number = take_varint(packed);
    if (!step || *step > slots - end || !length || *length == 0) return false;
    if (*length > slots - end - *step || !number || *number > told.size()) return false;
    NoteRun run{.first = end + *step, .end = end + *step + *length, .note = {}};
    end = run.end;
    if (*number > 0)
      run.note = notes[told[*number - 1]].note;
    else if (take_note(packed, run.note))
      told.add(notes.size());
    else
      return false;
    notes.push_back(std::move(run));
  }
  return !fault_of(notes, slots);
}

}  // namespace meterline::store
