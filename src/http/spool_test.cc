#include "http/spool.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "testing/temp_folder.h"

namespace meterline::http {
namespace {

std::string content_of(const Spool& spool) {
  auto source = spool.open();
  if (!source) return source.error().message;
  std::string out;
  std::array<char, 7> piece{};
  for (;;) {
    const auto count = (*source)->read(piece);
    if (!count) return count.error().message;
    if (*count == 0) return out;
    out.append(piece.data(), *count);
  }
}

TEST(Spool, HoldsSmallAndLargeBodies) {
  const testing::TempFolder folder;
  for (const std::size_t bytes : {0, 1, 9, 10, 11, 100}) {
    Spool spool(folder.path(), 10);
    std::string want;
    for (std::size_t i = 0; i < bytes; ++i) {
      const std::string byte(1, static_cast<char>('a' + i % 26));
      ASSERT_TRUE(spool.append(byte));
      want += byte;
    }
    EXPECT_EQ(spool.size(), bytes);
    EXPECT_EQ(content_of(spool), want);
    EXPECT_EQ(content_of(spool), want) << "opened again";
  }
}

TEST(Spool, ATemporaryFolderThatIsNotThereIsAnError) {
  ASSERT_EQ(::setenv("TMPDIR", "/nowhere/at/all", 1), 0);
  Spool spool("", 10);
  const auto appended = spool.append("more than ten bytes");
  ASSERT_EQ(::unsetenv("TMPDIR"), 0);
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().message,
            "cannot spool the upload: the folder that TMPDIR names is not there");
}

TEST(Spool, LeavesNoFile) {
  const testing::TempFolder folder;
  Spool spool(folder.path(), 1);
  ASSERT_TRUE(spool.append("more than one byte"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Spool, TakesFromTheBudgetWhatItWritesAndGivesItBack) {
  const testing::TempFolder folder;
  Budget budget(20);
  {
    Spool spool(folder.path(), 10, &budget);
    ASSERT_TRUE(spool.append("12345678"));
    EXPECT_EQ(budget.used(), 0U) << "in memory";
    ASSERT_TRUE(spool.append("12345678"));
    EXPECT_EQ(budget.used(), 16U);
    const auto result = spool.append("12345");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::unavailable);
    ASSERT_TRUE(spool.append("1234"));
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST(Spool, SaysWhichFolderCannotBeWritten) {
  const testing::TempFolder folder;
  Spool spool(folder.path() / "absent", 1);
  ASSERT_TRUE(spool.append("a"));
  const auto result = spool.append("b");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::unavailable);
  EXPECT_NE(result.error().message.find("absent"), std::string::npos) << result.error().message;
}

}  // namespace
}  // namespace meterline::http
