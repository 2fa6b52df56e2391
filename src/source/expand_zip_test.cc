#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "source/expand.h"

namespace meterline::source {
namespace {

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

/// What `packed` expands to in reads of `step` bytes, or `code: message`.
std::string expanded(std::string_view packed, std::size_t step) {
  auto source = expand(make_memory_source(packed));
  if (!source) return "error: " + source.error().message;
  std::string all;
  std::string piece(step, '\0');
  for (;;) {
    const auto count = (*source)->read(piece);
    if (!count) {
      const auto code = count.error().code;
      return (code == Errc::refused   ? "refused: "
              : code == Errc::corrupt ? "corrupt: "
                                      : "other: ") +
             count.error().message;
    }
    if (*count == 0) return all;
    all.append(piece, 0, *count);
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

TEST(ExpandZip, RefusesAnythingButOneFile) {
  constexpr auto* none = "refused: the zip file has no file in it";
  constexpr auto* several =
      "refused: the zip file has several files in it; unpack it and load those";
  check(zip({}), none);
  check(zip({{"folder/", ""}}), none);
  check(zip({{"a.csv", "abc"}, {"b.csv", "def"}}), several);
  check(zip({{"a.csv", ""}, {"folder/", ""}, {"folder/b.csv", ""}}), several);
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
