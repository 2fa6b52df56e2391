#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "store/rocksdb/cache_size.h"
#include "store/rocksdb/month.h"
#include "store/rocksdb/united.h"
#include "testing/temp_folder.h"

namespace meterline::store::rocksdb {
namespace {

/// Key -> days of the month that have an entry.
using Content = std::map<std::string, std::set<std::uint32_t>>;

std::string block_of(const std::set<std::uint32_t>& days) {
  std::vector<MonthEntry> entries;
  for (const auto day : days) entries.push_back({.grid = "g", .day = day, .body = "b"});
  std::string block;
  write_month_block(entries, block);
  return block;
}

std::set<std::uint32_t> days_of(std::string_view block) {
  std::vector<MonthEntry> entries;
  EXPECT_TRUE(read_month_block(block, entries));
  std::set<std::uint32_t> days;
  for (const auto& entry : entries) days.insert(entry.day);
  return days;
}

class UnitedIterators : public ::testing::Test {
 protected:
  static constexpr const char* keys[] = {"a", "b", "ba", "c", "d", "e"};

  /// Forgets what was there.
  void clear() {
    content_.clear();
    recent_.clear();
    for (const auto* key : keys) ASSERT_TRUE(db().Delete({}, days(), key).ok());
  }
  void add_any() {
    for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
      const auto key = any_key();
      ASSERT_TRUE(db().Merge({}, days(), key, block_of(any_days(key))).ok());
    }
    for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
      const auto key = any_key();
      recent_.add(key, block_of(any_days(key)));
    }
    recent_.sort();
  }
  void check_from(const std::string& from) const {
    const std::unique_ptr<::rocksdb::Iterator> stored(db().NewIterator({}, days()));
    UnitedIterator both(Family::days, *stored, recent_);
    Content forward;
    for (both.seek(from); both.is_valid(); both.next())
      forward.emplace(both.key(), days_of(both.value()));
    RC_ASSERT(both.status().has_value());
    RC_ASSERT(forward == Content(content_.lower_bound(from), content_.end()));

    Content backward;
    std::string last = "z";
    for (both.seek_back(from); both.is_valid(); both.previous()) {
      RC_ASSERT(both.key() < last);
      last = both.key();
      backward.emplace(both.key(), days_of(both.value()));
    }
    RC_ASSERT(backward == Content(content_.begin(), content_.upper_bound(from)));
  }
  static std::string any_key() {
    return *rc::gen::elementOf(std::vector<std::string>(std::begin(keys), std::end(keys)));
  }

  ::rocksdb::DB& db() const { return database_->db(); }
  ::rocksdb::ColumnFamilyHandle* days() const { return database_->family(Family::days); }

 private:
  std::set<std::uint32_t> any_days(const std::string& key) {
    const std::set<std::uint32_t> days = {*rc::gen::inRange<std::uint32_t>(0, 31),
                                          *rc::gen::inRange<std::uint32_t>(0, 31)};
    content_[key].insert(days.begin(), days.end());
    return days;
  }

  testing::TempFolder temp_;
  const std::unique_ptr<Database> database_ =
      *Database::open(temp_.path() / "db", cache_bytes_min, OpenAs::made);
  EntryBuffer recent_;
  Content content_;
};

TEST_F(UnitedIterators, GoOverBothAsOverOneMap) {
  EXPECT_TRUE(rc::check([this] {
    clear();
    add_any();
    check_from(any_key());
  }));
}

TEST_F(UnitedIterators, AValueThatCannotBeUnitedIsAnError) {
  const std::unique_ptr<::rocksdb::Iterator> stored(db().NewIterator({}, days()));
  EntryBuffer recent;
  recent.add("a", "no block");
  UnitedIterator both(Family::days, *stored, recent);
  both.seek("a");
  EXPECT_FALSE(both.is_valid());
  EXPECT_FALSE(both.status());
}

}  // namespace
}  // namespace meterline::store::rocksdb
