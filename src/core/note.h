#pragma once

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace meterline {

/// The longest flag, method or reason code, in bytes. NEM12 needs one, two and three (AEMO MDFF
/// specification, records 300 and 400); words like `Geen verbruik` of other files fit, too.
inline constexpr std::size_t note_word_bytes_max = 32;
/// The longest reason text, in bytes: NEM12 allows 240 characters, each of up to four bytes.
inline constexpr std::size_t note_text_bytes_max = 960;
/// The most bytes that all notes of one day may say together.
inline constexpr std::size_t notes_bytes_max = std::size_t{64} << 10;

/// What a source says itself of a reading, beside the class that Quality gives it. Each part is
/// valid UTF-8 without control characters, and is empty where the source says nothing.
struct Note {
  std::string flag;         ///< `S` of NEM12's `S14`, or the quality code of ESPI.
  std::string method;       ///< `14` of NEM12's `S14`.
  std::string reason_code;  ///< `32`
  std::string reason_text;

  std::size_t bytes() const {
    return flag.size() + method.size() + reason_code.size() + reason_text.size();
  }
  bool operator==(const Note&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Note& note);
};

/// The parts that are there, in order, with blanks between them: for people to read.
std::string text_of(const Note& note);

/// Neighbours of which the source says the same: slots of a day, or places in another list.
struct NoteRun {
  std::size_t first = 0;
  std::size_t end = 0;  ///< Behind the last.
  Note note;

  bool operator==(const NoteRun&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const NoteRun& run);
};

/// Runs in one form only, so that equal notes are equal bytes: ascending, none empty, none over
/// another, and neighbours that touch say different things.
using Notes = std::vector<NoteRun>;

/// Appends a run behind the others, or makes the last one longer where it goes on.
void append(Notes& notes, std::size_t first, std::size_t end, const Note& note);

/// Why it cannot be kept; empty when it can. One that says nothing cannot.
std::optional<std::string_view> fault_of(const Note& note);

/// Null where nothing is said of that place.
const Note* note_at(const Notes& notes, std::size_t place);

/// Why the notes cannot be kept with a day of so many slots, in words; empty when they can. Who
/// makes a day asks this: a reader leaves such notes out, keeps the readings, and has a finding.
std::optional<std::string_view> fault_of(const Notes& notes, std::size_t slots);

}  // namespace meterline
