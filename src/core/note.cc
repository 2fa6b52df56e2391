#include "core/note.h"

#include <algorithm>

#include "core/text.h"

namespace meterline {

std::optional<std::string_view> fault_of(const Note& note) {
  if (note.bytes() == 0) return "a note says nothing";
  for (const auto* word : {&note.flag, &note.method, &note.reason_code})
    if (word->size() > note_word_bytes_max) return "a flag, method or reason code is too long";
  if (note.reason_text.size() > note_text_bytes_max) return "a reason text is too long";
  for (const auto* part : {&note.flag, &note.method, &note.reason_code, &note.reason_text})
    if (!is_clean_text(*part)) return "a note is not UTF-8, or has control characters";
  return std::nullopt;
}

std::ostream& operator<<(std::ostream& out, const Note& note) {
  return out << note.flag << '|' << note.method << '|' << note.reason_code << '|'
             << note.reason_text;
}

std::string text_of(const Note& note) {
  std::string text;
  for (const auto* part : {&note.flag, &note.method, &note.reason_code, &note.reason_text}) {
    if (!part->empty() && !text.empty()) text += ' ';
    text += *part;
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const NoteRun& run) {
  return out << '[' << run.first << '-' << run.end << ' ' << run.note << ']';
}

void append(Notes& notes, std::size_t first, std::size_t end, const Note& note) {
  if (!notes.empty() && notes.back().end == first && notes.back().note == note)
    notes.back().end = end;
  else
    notes.push_back({.first = first, .end = end, .note = note});
}

const Note* note_at(const Notes& notes, std::size_t place) {
  const auto run =
      std::upper_bound(notes.begin(), notes.end(), place,
                       [](std::size_t at, const NoteRun& other) { return at < other.end; });
  return run == notes.end() || place < run->first ? nullptr : &run->note;
}

std::optional<std::string_view> fault_of(const Notes& notes, std::size_t slots) {
  std::size_t bytes = 0;
  const NoteRun* before = nullptr;
  for (const auto& run : notes) {
    const std::size_t free_from = before == nullptr ? 0 : before->end;
    if (run.first < free_from || run.first >= run.end || run.end > slots)
      return "notes lie over each other, or beyond the day";
    if (before != nullptr && before->end == run.first && before->note == run.note)
      return "notes that say the same stand apart";
    if (const auto fault = fault_of(run.note)) return fault;
    bytes += run.note.bytes();
    if (bytes > notes_bytes_max) return "the notes of a day are too long";
    before = &run;
  }
  return std::nullopt;
}

}  // namespace meterline
