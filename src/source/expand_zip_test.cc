#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/expand.h"

namespace meterline::source {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

struct Entry {
  std::string name;
  std::string text;
};

struct ZipOptions {
  const char* compression = "deflate";
  const char* encryption = nullptr;
};

/// A zip in memory. A name that ends in `/` is a folder.
std::string zip(const std::vector<Entry>& entries, ZipOptions options = {}) {
  std::string out(1 << 20, '\0');
  std::size_t used = 0;
  archive* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  archive_write_set_format_option(writer, "zip", "compression", options.compression);
  if (options.encryption != nullptr) {
    archive_write_set_format_option(writer, "zip", "encryption", options.encryption);
    archive_write_set_passphrase(writer, "secret");
  }
  archive_write_set_bytes_in_last_block(writer, 1);
  archive_write_open_memory(writer, out.data(), out.size(), &used);
  for (const auto& [name, text] : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, name.ends_with('/') ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(text.size()));
    archive_write_header(writer, entry);
    archive_write_data(writer, text.data(), text.size());
    archive_entry_free(entry);
  }
  archive_write_free(writer);
  out.resize(used);
  return out;
}

std::string text_of(const Error& error) {
  return (error.code == Errc::refused   ? "refused: "
          : error.code == Errc::corrupt ? "corrupt: "
                                        : "other: ") +
         error.message;
}

/// What a file expands to in reads of `step` bytes, or `code: message`.
std::string read_all(ByteSource& bytes, std::size_t step) {
  std::string all;
  std::string piece(step, '\0');
  for (;;) {
    const auto count = bytes.read(piece);
    if (!count) return text_of(count.error());
    if (*count == 0) return all;
    all.append(piece, 0, *count);
  }
}

std::string expanded(std::string_view packed, std::size_t step) {
  const auto content = expand(make_memory_source(packed));
  return content ? read_all(*content->bytes, step) : "error: " + content.error().message;
}

/// `name=content` of all files, and what is wrong behind them.
std::vector<std::string> files_of(std::string_view packed, std::size_t step,
                                  ExpandOptions options = {}) {
  const auto content = expand(make_memory_source(packed), options);
  if (!content) return {"error: " + content.error().message};
  std::vector<std::string> files;
  for (;;) {
    auto text = read_all(*content->bytes, step);
    files.push_back(content->zip->name() + '=' + std::move(text));
    const auto next = content->zip->next();
    if (!next) files.push_back(text_of(next.error()));
    if (!next || !*next) return files;
  }
}

void check(std::string_view packed, std::string_view want,
           std::source_location at = std::source_location::current()) {
  const testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
  for (const std::size_t step : {1, 4096}) EXPECT_EQ(expanded(packed, step), want);
}

void check_corrupt(std::string_view packed,
                   std::source_location at = std::source_location::current()) {
  const testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "case");
  const auto got = expanded(packed, 4096);
  EXPECT_TRUE(got.starts_with("corrupt: zip file damaged before byte ")) << got;
}

TEST(ExpandZip, ReadsTheOneFile) {
  check(zip({{"a.csv", "abc"}}), "abc");
  check(zip({{"a.csv", "abc"}}, {.compression = "store"}), "abc");
  check(zip({{"a.csv", ""}}), "");
  check(zip({{"folder/", ""}, {"folder/a.csv", "abc"}, {"other/", ""}}), "abc");
}

TEST(ExpandZip, ReadsALargeFile) {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += std::to_string(i) + ',';
  EXPECT_EQ(expanded(zip({{"a.csv", text}}), 4096), text);
}

TEST(ExpandZip, RefusesOneWithoutFiles) {
  constexpr auto* none = "refused: the zip file has no file in it";
  check(zip({}), none);
  check(zip({{"folder/", ""}}), none);
}

TEST(ExpandZip, ReadsOneFileAfterTheOther) {
  for (const std::size_t step : {1, 4096}) {
    EXPECT_THAT(files_of(zip({{"a.csv", "abc"}}), step), ElementsAre("a.csv=abc"));
    EXPECT_THAT(
        files_of(zip({{"a.csv", "abc"}, {"x/", ""}, {"x/b.csv", ""}, {"a.csv", "d"}}), step),
        ElementsAre("a.csv=abc", "x/b.csv=", "a.csv=d"));
  }
}

TEST(ExpandZip, ANameIsTextThatCanBeShown) {
  EXPECT_THAT(files_of(zip({{"a\nb\x1b", "abc"}, {std::string(300, 'x'), ""}}), 10),
              ElementsAre("a?b?=abc", std::string(255, 'x') + "="));
}

TEST(ExpandZip, HasALimitOfFiles) {
  std::vector<Entry> entries(zip_files_max, {"a", "x"});
  EXPECT_EQ(files_of(zip(entries), 10).size(), zip_files_max);
  entries.push_back({"b", "y"});
  const auto files = files_of(zip(entries), 10);
  ASSERT_EQ(files.size(), zip_files_max + 1);
  EXPECT_THAT(files.back(), StartsWith("refused: the zip file has more than 600 files in it"));
}

TEST(ExpandZip, ItsFilesShareTheLimitOfBytes) {
  const auto files =
      files_of(zip({{"a", "abc"}, {"b", "def"}, {"c", "ghi"}}), 10, {.expanded_bytes_max = 5});
  ASSERT_GE(files.size(), 2U);
  EXPECT_EQ(files[0], "a=abc");
  EXPECT_THAT(files[1], StartsWith("b=other: the file expands to more than 5 bytes"));
}

/// What was read before the damage stands, as each file is checked by itself.
TEST(ExpandZip, DamageBehindAFileIsToldAfterIt) {
  const auto good =
      zip({{"a.csv", "abc"}, {"b.csv", "defghijk"}, {"c.csv", "lmn"}}, {.compression = "store"});
  auto flipped = good;
  flipped[good.find("lmn")] ^= 1;
  auto files = files_of(flipped, 10);
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[1], "b.csv=defghijk");
  EXPECT_THAT(files[2], StartsWith("c.csv=corrupt: zip file damaged before byte "));
  files = files_of(good.substr(0, good.rfind("PK\5\6")), 10);
  ASSERT_EQ(files.size(), 4U);
  EXPECT_EQ(files[2], "c.csv=lmn");
  EXPECT_THAT(files[3], StartsWith("corrupt: zip file damaged before byte "));
}

TEST(ExpandZip, CallsAWorkbookByItsName) {
  constexpr auto* excel =
      "refused: this is an Excel workbook (.xlsx), or another document of Office; save its sheet "
      "as "
      "CSV (UTF-8)";
  check(zip({{"[Content_Types].xml", "<Types/>"}, {"_rels/.rels", ""}, {"xl/workbook.xml", ""}}),
        excel);
  check(zip({{"docProps/app.xml", "<p/>"}, {"[Content_Types].xml", "<Types/>"}}), excel);
  check(
      zip({{"mimetype", "application/vnd.oasis.opendocument.spreadsheet"}, {"content.xml", ""}}),
      "refused: this is an OpenDocument spreadsheet (.ods), or another document of that kind; save "
      "its sheet as CSV (UTF-8)");
  check(zip({{"xl.csv", "abc"}}), "abc");
}

TEST(ExpandZip, RefusesAnEncryptedFile) {
  check(zip({{"a.csv", "abc"}}, {.encryption = "traditional"}),
        "refused: the zip file is encrypted; unpack it and load its files");
}

TEST(ExpandZip, TakesACommentAtTheEnd) {
  auto commented = zip({{"a.csv", "abc"}});
  commented[commented.size() - 2] = 5;
  check(commented + "hello", "abc");
  check_corrupt(commented + "hell");
}

TEST(ExpandZip, RefusesDamage) {
  const auto good = zip({{"a.csv", "abcdefgh"}}, {.compression = "store"});
  const auto data = good.find("abcdefgh");
  ASSERT_NE(data, std::string::npos);
  auto flipped = good;
  flipped[data] ^= 1;
  check_corrupt(flipped);
  for (std::size_t size = 4; size < good.size(); ++size) check_corrupt(good.substr(0, size));
  check_corrupt(good + "x");
}

}  // namespace
}  // namespace meterline::source
