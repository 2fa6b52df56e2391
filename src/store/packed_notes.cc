#include "store/packed_notes.h"

#include <algorithm>
#include <array>

#include "store/bytes.h"

namespace meterline::store {
namespace {

// | run | run | ...
// run   | slots since the run before | slots | number of a note told before, from 1 |
//       | .............................. | 0 | flag | method | reason code | reason text |
// Numbers are varints; texts have their size before them.

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

Note take_note(ByteReader& in) {
  Note note;
  note.flag = in.sized(note_word_bytes_max);
  note.method = in.sized(note_word_bytes_max);
  note.reason_code = in.sized(note_word_bytes_max);
  note.reason_text = in.sized(note_text_bytes_max);
  return note;
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
      put_sized(*part, out);
  }
}

bool unpack_notes(std::string_view packed, std::size_t slots, Notes& notes) {
  notes.clear();
  if (packed.empty()) return false;
  ByteReader in(packed);
  Told told;
  for (std::size_t end = 0; !in.at_end();) {
    const auto first = end + in.varint(slots - end);
    const auto length = in.varint(slots - std::min(first, slots));
    const auto number = in.varint(told.size());
    if (!in.ok() || length == 0) return false;
    end = first + length;
    NoteRun run{.first = first, .end = end, .note = {}};
    if (number > 0) {
      run.note = notes[told[number - 1]].note;
    } else {
      run.note = take_note(in);
      if (!in.ok()) return false;
      told.add(notes.size());
    }
    notes.push_back(std::move(run));
  }
  return !fault_of(notes, slots);
}

}  // namespace meterline::store
