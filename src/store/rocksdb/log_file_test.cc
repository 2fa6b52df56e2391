#include "store/rocksdb/log_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "store/rocksdb/database.h"

namespace meterline::store::rocksdb {
namespace {

struct Read {
  std::vector<std::string> records;
  std::vector<LogDamage> damage;
};

Read read(std::string_view log) {
  Read found;
  read_log(log, {.record = [&](std::string_view record) { found.records.emplace_back(record); },
                 .damage = [&](const LogDamage& damage) { found.damage.push_back(damage); }});
  return found;
}

/// Records of no, few and many bytes, the last of them of more than a block.
rc::Gen<std::vector<std::string>> some_records() {
  const auto record = rc::gen::apply(
      [](std::size_t size, char seed) {
        std::string bytes(size, '\0');
        for (std::size_t i = 0; i < size; ++i)
          bytes[i] = static_cast<char>(seed + static_cast<char>(i * i >> 3));
        return bytes;
      },
      rc::gen::weightedOneOf<std::size_t>({{5, rc::gen::inRange<std::size_t>(0, 60)},
                                           {2, rc::gen::inRange<std::size_t>(60, 9000)},
                                           {1, rc::gen::inRange<std::size_t>(32700, 90000)}}),
      rc::gen::arbitrary<char>());
  return rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(record));
}

RC_GTEST_PROP(LogFile, HoldsWhatWasWritten, ()) {
  const auto records = *some_records();
  const auto found = read(write_log(records));
  RC_ASSERT(found.records == records);
  RC_ASSERT(found.damage.empty());
}

TEST(LogFile, ARecordMayBeginWithAnEmptyPieceAtTheEndOfABlock) {
  constexpr std::size_t block_bytes = 32768;
  constexpr std::size_t header_bytes = 7;
  const std::vector<std::string> records = {std::string(block_bytes - 2 * header_bytes, 'a'),
                                            std::string(40'000, 'b')};
  const auto log = write_log(records);
  const auto found = read(log);
  EXPECT_EQ(found.records, records);
  EXPECT_TRUE(found.damage.empty());
}

RC_GTEST_PROP(LogFile, ThatEndsTooEarlyIsNotDamaged, ()) {
  const auto records = *some_records();
  const auto log = write_log(records);
  const auto size = *rc::gen::inRange<std::size_t>(0, log.size());
  const auto found = read(std::string_view(log).substr(0, size));
  RC_ASSERT(found.damage.empty());
  RC_ASSERT(found.records.size() < records.size());
  RC_ASSERT(std::equal(found.records.begin(), found.records.end(), records.begin()));
  const auto zeros = read(log.substr(0, size) + std::string(log.size() - size, '\0'));
  if (!zeros.damage.empty()) return;
  // A record that itself ends with zeros may be whole.
  RC_ASSERT(zeros.records.size() >= found.records.size());
  RC_ASSERT(zeros.records.size() <= records.size());
  RC_ASSERT(std::equal(zeros.records.begin(), zeros.records.end(), records.begin()));
}

/// Whichever bit it is: damage is told, and no record but those that hold the bit is lost; or it
/// is one of those that fill up a block.
RC_GTEST_PROP(LogFile, OneBitIsNeverLostSilently, ()) {
  const auto records = *some_records();
  auto log = write_log(records);
  const auto at = *rc::gen::inRange<std::size_t>(0, log.size());
  log[at] = static_cast<char>(log[at] ^ 1 << *rc::gen::inRange(0, 8));
  const auto found = read(log);
  if (found.records == records) {
    RC_ASSERT(found.damage.empty());
    return;
  }
  RC_ASSERT(found.records.size() + 1 == records.size());
  RC_ASSERT(found.damage.size() == 1U);
  const LogDamage damage = found.damage.front();
  RC_ASSERT(damage.begin <= damage.at && damage.at <= at && at < damage.end);
}

/// All of a damaged record but for the bit, where the bit is not in what stands before its pieces.
RC_GTEST_PROP(LogFile, WhatIsDamagedCanStillBeRead, ()) {
  const auto records = *some_records();
  const auto written = write_log(records);
  auto log = written;
  const auto at = *rc::gen::inRange<std::size_t>(0, log.size());
  log[at] = static_cast<char>(log[at] ^ 1);
  for (const auto& damage : read(log).damage) {
    const auto before = read_damaged(written, damage);
    RC_ASSERT(before.size() == 1U);
    RC_ASSERT(std::find(records.begin(), records.end(), before.front()) != records.end());
    std::size_t differ = 0;
    for (const auto& record : read_damaged(log, damage))
      for (std::size_t i = 0; i < std::min(record.size(), before.front().size()); ++i)
        differ += record[i] == before.front()[i] ? 0 : 1;
    RC_CLASSIFY(differ == 1, "in a record");
  }
}

TEST(LogFile, ADamagedSizeAtTheEndIsNoEarlyEnd) {
  const std::vector<std::string> records = {"one", "two"};
  auto log = write_log(records);
  const auto size_at = 7 + 3 + 4;  // Of the second record.
  for (int bit = 0; bit < 15; ++bit) {
    auto damaged = log;
    damaged[size_at + bit / 8] = static_cast<char>(damaged[size_at + bit / 8] ^ 1 << bit % 8);
    const auto found = read(damaged);
    EXPECT_THAT(found.records, ::testing::ElementsAre("one")) << bit;
    ASSERT_EQ(found.damage.size(), 1U) << bit;
    EXPECT_EQ(found.damage.front().at, 10U);
  }
}

RC_GTEST_PROP(FileChecksums, AreThoseOfRocksdb, (const std::vector<std::string>& pieces)) {
  const ::rocksdb::FileChecksumGenContext context;
  const auto ours = make_file_checksums()->CreateFileChecksumGenerator(context);
  const auto theirs =
      ::rocksdb::GetFileChecksumGenCrc32cFactory()->CreateFileChecksumGenerator(context);
  for (const auto& piece : pieces)
    for (auto* const generator : {ours.get(), theirs.get()})
      generator->Update(piece.data(), piece.size());
  for (auto* const generator : {ours.get(), theirs.get()}) generator->Finalize();
  RC_ASSERT(ours->GetChecksum() == theirs->GetChecksum());
  RC_ASSERT(std::string(ours->Name()) == theirs->Name());
}

}  // namespace
}  // namespace meterline::store::rocksdb
