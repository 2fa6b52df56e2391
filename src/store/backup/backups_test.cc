#include "store/backup/backups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "core/crc32c.h"
#include "testing/must.h"
#include "testing/temp_folder.h"

namespace meterline::store::backup {
namespace {

namespace fs = std::filesystem;
using meterline::testing::must;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Instant at(const char* text) { return *Instant::parse(text); }

/// Relative to the folder, with what they hold.
std::map<std::string, std::string> files_below(const fs::path& folder) {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    found.emplace(entry.path().lexically_relative(folder).string(), text.str());
  }
  return found;
}

/// Stores whose tables are files of a folder, into a place beside it.
class Backups : public ::testing::Test {
 protected:
  Backups() { fs::create_directories(source_); }

  SourceFile table(const std::string& name, const std::string& text) const {
    std::ofstream(source_ / name) << text;
    return {.facts = {.name = name, .bytes = text.size(), .crc32c = crc32c(text)},
            .is_table = true,
            .path = source_ / name,
            .text = ""};
  }
  static SourceFile small(const std::string& name, const std::string& text) {
    return {.facts = {.name = name, .bytes = text.size(), .crc32c = crc32c(text)},
            .path = "",
            .text = text};
  }
  StoreFiles files(const std::string& current, const std::vector<SourceFile>& tables) const {
    StoreFiles files{.store = "store-1", .format = 4, .files = tables, .held = nullptr};
    files.files.push_back(small("CURRENT", current));
    return files;
  }
  Result<Made> make(const StoreFiles& files, const char* time, std::size_t keep = 0) const {
    return make_backup(*place_, files, {.now = at(time), .keep = keep});
  }
  std::map<std::string, std::string> restored(const std::string& id) const {
    const auto folder = temp_.path() / "restored";
    fs::remove_all(folder);
    fs::create_directories(folder);
    must(copy_out(*place_, must(find_backup(*place_, id)), folder));
    return files_below(folder);
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> found;
    for (const auto& one : must(list_backups(*place_))) found.push_back(one.id);
    return found;
  }

  meterline::testing::TempFolder temp_;
  const fs::path source_ = temp_.path() / "source";
  const fs::path folder_ = temp_.path() / "backups";
  const std::unique_ptr<Place> place_ = make_folder_place(folder_);
};

constexpr const char* monday = "2026-11-30T02:00:00Z";
constexpr const char* tuesday = "2026-12-01T02:00:00Z";
constexpr const char* wednesday = "2026-12-02T02:00:00Z";

TEST_F(Backups, ComeBackAsTheyWere) {
  const auto made = must(make(files("1", {table("000012.sst", "twelve")}), monday));
  EXPECT_EQ(made.backup.id, "20261130T020000Z");
  EXPECT_EQ(made.files_copied, 2);
  EXPECT_EQ(made.bytes_copied, 7U);
  const std::map<std::string, std::string> wanted = {{"000012.sst", "twelve"}, {"CURRENT", "1"}};
  EXPECT_EQ(restored("20261130T020000Z"), wanted);
  EXPECT_EQ(restored(""), wanted);
}

TEST_F(Backups, HaveATableOnce) {
  const auto twelve = table("000012.sst", "twelve");
  must(make(files("1", {twelve}), monday));
  fs::remove(source_ / "000012.sst");  // Not read again.
  const auto made = must(make(files("2", {twelve, table("000013.sst", "13")}), tuesday));
  EXPECT_EQ(made.files_copied, 2);
  EXPECT_EQ(made.bytes_copied, 3U);
  EXPECT_EQ(made.backup.bytes(), 9U);
  EXPECT_EQ(restored("20261130T020000Z").size(), 2U);
  EXPECT_EQ(restored("20261201T020000Z").size(), 3U);
}

/// As in a store that was restored and went another way.
TEST_F(Backups, TellTablesOfOneNumberApart) {
  must(make(files("1", {table("000012.sst", "twelve")}), monday));
  must(make(files("2", {table("000012.sst", "zwoelf")}), tuesday));
  EXPECT_EQ(restored("20261130T020000Z").at("000012.sst"), "twelve");
  EXPECT_EQ(restored("20261201T020000Z").at("000012.sst"), "zwoelf");
}

TEST_F(Backups, TheNewestIsKnownByItsName) {
  EXPECT_EQ(time_of_newest(*place_).error().code, Errc::not_found);
  must(make(files("1", {}), monday));
  must(make(files("2", {}), tuesday));
  fs::create_directories(folder_ / "20261230T120000Z");
  std::ofstream(folder_ / "20261230T120000Z/CURRENT") << "not finished";
  EXPECT_EQ(must(time_of_newest(*place_)), at(tuesday));
}

TEST_F(Backups, OfOneSecondHaveTwoIds) {
  must(make(files("1", {}), monday));
  EXPECT_EQ(must(make(files("2", {}), monday)).backup.id, "20261130T020001Z");
}

TEST_F(Backups, AreInTheirOrderWhateverTheClockSays) {
  must(make(files("1", {}), tuesday));
  const auto made = must(make(files("2", {}), monday, 1));
  EXPECT_EQ(made.backup.id, "20261201T020001Z");
  EXPECT_EQ(made.backup.made_at, at(monday));
  EXPECT_THAT(made.forgotten, ElementsAre("20261201T020000Z"));
  EXPECT_EQ(restored("").at("CURRENT"), "2");
}

TEST_F(Backups, BeyondTheKeptAreForgotten) {
  must(make(files("1", {table("000012.sst", "twelve")}), monday));
  must(make(files("2", {table("000013.sst", "13")}), tuesday));
  const auto made = must(make(files("3", {table("000013.sst", "13")}), wednesday, 2));
  EXPECT_THAT(made.forgotten, ElementsAre("20261130T020000Z"));
  EXPECT_THAT(ids(), ElementsAre("20261201T020000Z", "20261202T020000Z"));
  std::vector<std::string> names;
  for (const auto& [name, text] : files_below(folder_)) names.push_back(name);
  EXPECT_THAT(names,
              UnorderedElementsAre("LOCK", "backups.txt", HasSubstr("tables/000013-2-"),
                                   "20261201T020000Z/CURRENT", "20261201T020000Z/backup.txt",
                                   "20261202T020000Z/CURRENT", "20261202T020000Z/backup.txt"));
  EXPECT_FALSE(fs::exists(folder_ / "20261130T020000Z"));
}

/// What a process leaves that is killed while it makes one.
TEST_F(Backups, ThatWereNotFinishedGo) {
  must(make(files("1", {table("000012.sst", "twelve")}), monday));
  fs::create_directories(folder_ / "20261130T120000Z");
  std::ofstream(folder_ / "20261130T120000Z/CURRENT") << "x";
  std::ofstream(folder_ / "20261130T120000Z/backup.txt.part") << "meterline";
  std::ofstream(folder_ / "tables/000099-1-00000000.sst") << "y";
  std::ofstream(folder_ / "tables/000100-1-00000000.sst.part") << "z";
  EXPECT_THAT(ids(), ElementsAre("20261130T020000Z"));
  must(make(files("2", {}), tuesday));
  EXPECT_THAT(ids(), ElementsAre("20261130T020000Z", "20261201T020000Z"));
  EXPECT_FALSE(fs::exists(folder_ / "20261130T120000Z"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "tables"), fs::directory_iterator()), 1);
}

TEST_F(Backups, LeaveWhatOthersPutThere) {
  must(make(files("1", {}), monday));
  std::ofstream(folder_ / "tables.txt") << "mine";
  fs::create_directories(folder_ / "20261130T120000Z/sub");
  std::ofstream(folder_ / "20261130T120000Z/sub/file") << "mine";
  must(make(files("2", {}), tuesday, 1));
  EXPECT_TRUE(fs::exists(folder_ / "tables.txt"));
  EXPECT_TRUE(fs::exists(folder_ / "20261130T120000Z/sub/file"));
}

TEST_F(Backups, AreNotMadeAmongOtherThings) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / "letter.txt") << "mine";
  const auto made = make(files("1", {}), monday);
  EXPECT_EQ(made.error().code, Errc::refused);
  EXPECT_THAT(made.error().message, HasSubstr("letter.txt"));
  EXPECT_EQ(files_below(folder_).size(), 2U);  // And the lock.
}

TEST_F(Backups, AreOfOneStore) {
  must(make(files("1", {}), monday));
  auto other = files("1", {});
  other.store = "store-2";
  const auto made = make_backup(*place_, other, {.now = at(tuesday)});
  EXPECT_EQ(made.error().code, Errc::refused);
  EXPECT_THAT(made.error().message, HasSubstr("another store"));
  EXPECT_THAT(ids(), ElementsAre("20261130T020000Z"));
}

TEST_F(Backups, AreMadeByOneProcessAtATime) {
  must(make(files("1", {}), monday));
  {
    const auto held = must(make_folder_place(folder_)->use(PlaceUse::read));
    EXPECT_EQ(make(files("2", {}), tuesday).error().code, Errc::unavailable);
    EXPECT_THAT(ids(), ElementsAre("20261130T020000Z"));
  }
  const auto held = must(make_folder_place(folder_)->use(PlaceUse::change));
  EXPECT_EQ(list_backups(*place_).error().code, Errc::unavailable);
}

TEST_F(Backups, ADamagedTableIsNotTaken) {
  auto twelve = table("000012.sst", "twelve");
  std::ofstream(source_ / "000012.sst") << "twelwe";
  const auto made = make(files("1", {twelve}), monday);
  EXPECT_EQ(made.error().code, Errc::corrupt);
  EXPECT_THAT(made.error().message, HasSubstr("000012"));
  EXPECT_EQ(list_backups(*place_).error().code, Errc::not_found);
}

TEST_F(Backups, AreFoundWhole) {
  must(make(files("1", {table("000012.sst", "twelve")}), monday));
  must(make(files("2", {table("000012.sst", "twelve")}), tuesday));
  const auto checked = must(check_backups(*place_, "", CheckDepth::bytes));
  EXPECT_EQ(checked.backups, 2);
  EXPECT_EQ(checked.files, 3);
  EXPECT_EQ(checked.bytes, 8U);
  EXPECT_THAT(checked.damage, IsEmpty());
}

TEST_F(Backups, DamageIsToldWithWhoNeedsIt) {
  must(make(files("1", {}), monday));
  must(make(files("2", {table("000012.sst", "twelve")}), tuesday));
  must(make(files("3", {table("000012.sst", "twelve")}), wednesday));
  const auto path = fs::directory_iterator(folder_ / "tables")->path();
  const auto damage_of = [&](CheckDepth depth) {
    std::string told;
    for (const auto& [file, reason, backups] : must(check_backups(*place_, "", depth)).damage) {
      told += file + ": " + reason + ':';
      for (const auto& id : backups) told += ' ' + id;
    }
    return told;
  };
  const auto name = "tables/" + path.filename().string();
  const std::string both = ": 20261201T020000Z 20261202T020000Z";
  std::ofstream(path) << "twelwe";
  EXPECT_EQ(damage_of(CheckDepth::names), "");
  EXPECT_EQ(damage_of(CheckDepth::bytes), name + ": it does not hold what it held" + both);
  EXPECT_THAT(must(check_backups(*place_, "20261130T020000Z", CheckDepth::bytes)).damage,
              IsEmpty());
  EXPECT_EQ(copy_out(*place_, must(find_backup(*place_, "")), temp_.path()).error().code,
            Errc::corrupt);
  std::ofstream(path) << "twelv";
  EXPECT_EQ(damage_of(CheckDepth::names), name + ": it has 5 bytes, not 6" + both);
  fs::remove(path);
  EXPECT_EQ(damage_of(CheckDepth::bytes), name + ": it is not there" + both);
  // The next backup mends it.
  must(make(files("4", {table("000012.sst", "twelve")}), "2026-12-03T02:00:00Z"));
  EXPECT_EQ(damage_of(CheckDepth::bytes), "");
}

/// It may need any table.
TEST_F(Backups, WhileOneCannotBeReadNoTableGoes) {
  must(make(files("1", {table("000012.sst", "twelve")}), monday));
  std::ofstream(folder_ / "20261130T020000Z/backup.txt") << "meterline backup 1\nid x\n";
  const auto made = must(make(files("2", {table("000013.sst", "13")}), tuesday, 1));
  EXPECT_THAT(made.forgotten, IsEmpty());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "tables"), fs::directory_iterator()), 2);
  EXPECT_FALSE(must(list_backups(*place_)).front().backup);
  EXPECT_EQ(find_backup(*place_, "20261130T020000Z").error().code, Errc::corrupt);
  const auto checked = must(check_backups(*place_, "", CheckDepth::bytes));
  ASSERT_EQ(checked.damage.size(), 1U);
  EXPECT_EQ(checked.damage[0].file, "20261130T020000Z/backup.txt");
}

TEST_F(Backups, WhatIsNotThereIsTold) {
  EXPECT_EQ(list_backups(*place_).error().code, Errc::not_found);
  fs::create_directories(folder_);
  EXPECT_EQ(list_backups(*place_).error().code, Errc::not_found);
  EXPECT_EQ(check_backups(*place_, "", CheckDepth::names).error().code, Errc::not_found);
  must(make(files("1", {}), monday));
  EXPECT_EQ(find_backup(*place_, "20261201T020000Z").error().code, Errc::not_found);
  EXPECT_EQ(check_backups(*place_, "20261201T020000Z", CheckDepth::names).error().code,
            Errc::not_found);
}

TEST_F(Backups, AreReadWhereNobodyMayWrite) {
  must(make(files("1", {}), monday));
  fs::remove(folder_ / "LOCK");  // As a copy may lack it.
  EXPECT_THAT(ids(), ElementsAre("20261130T020000Z"));
  EXPECT_FALSE(fs::exists(folder_ / "LOCK"));
}

TEST_F(Backups, StopWhenTheyAreTold) {
  const std::atomic<bool> stop = true;
  EXPECT_EQ(make_backup(*place_, files("1", {}), {.now = at(monday)}, {.stop = &stop}).error().code,
            Errc::cancelled);
  must(make(files("1", {}), monday));
  EXPECT_EQ(check_backups(*place_, "", CheckDepth::bytes, {.stop = &stop}).error().code,
            Errc::cancelled);
}

Backup backup() {
  return {.id = "20261130T020000Z",
          .made_at = at("2026-11-30T02:00:00.5Z"),
          .store = "0123-ab",
          .format = 4,
          .files = {{.facts = {.name = "000012.sst", .bytes = 5'000'000'000, .crc32c = 0xfe},
                     .is_table = true},
                    {.facts = {.name = "CURRENT", .bytes = 16, .crc32c = 0x12345678}}}};
}

TEST(BackupText, IsReadAsItWasWritten) {
  const auto text = text_of(backup());
  const auto read = must(parse_backup(text));
  EXPECT_EQ(text_of(read), text);
  EXPECT_EQ(read.files, backup().files);
  EXPECT_EQ(read.made_at, backup().made_at);
}

TEST(BackupText, OfWhichAnythingIsMissingOrElseIsDamaged) {
  const auto text = text_of(backup());
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_EQ(parse_backup(text.substr(0, size)).error().code, Errc::corrupt) << size;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto other = text;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_EQ(parse_backup(other).error().code, Errc::corrupt) << i;
  }
  EXPECT_EQ(parse_backup(text + 'x').error().code, Errc::corrupt);
}

/// Whoever can write a list must not make a restore write elsewhere.
TEST(BackupText, NamesNoPaths) {
  for (const std::string name : {"../CURRENT", "/etc/passwd", "a/b", ".hidden", ".."}) {
    auto bad = backup();
    bad.files[1].facts.name = name;
    EXPECT_EQ(parse_backup(text_of(bad)).error().code, Errc::corrupt) << name;
  }
}

}  // namespace
}  // namespace meterline::store::backup
