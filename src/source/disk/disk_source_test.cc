#include "source/disk/disk_source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>
#include <string_view>

#include "testing/temp_folder.h"

namespace meterline::source {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DiskSource : public ::testing::Test {
 protected:
  const fs::path& top() const { return folder_.path(); }

  void write(const fs::path& name, std::string_view text = "x") const {
    fs::create_directories((top() / name).parent_path());
    std::ofstream(top() / name, std::ios::binary) << text;
  }

  /// The names found, relative to the temporary folder, each with a blank behind it; or the
  /// error.
  std::string listed(const std::vector<fs::path>& names) const {
    std::vector<fs::path> paths = names;
    for (auto& path : paths) path = top() / path;
    const auto files = list_files(paths);
    if (!files) return "error: " + files.error().message;
    std::string out;
    for (const auto& file : *files) out += file.string().substr(top().string().size() + 1) + ' ';
    return out;
  }

 private:
  meterline::testing::TempFolder folder_;
};

std::string read_all(const Incoming& incoming) {
  auto source = incoming.open();
  if (!source) return "error: " + source.error().message;
  std::string all;
  std::array<char, 3> piece{};
  for (;;) {
    const auto count = (*source)->read(piece);
    if (!count) return "error: " + count.error().message;
    if (*count == 0) return all;
    all.append(piece.data(), *count);
  }
}

TEST_F(DiskSource, ListsFilesAndFoldersSortedWithinEachPath) {
  write("b/z.csv");
  write("b/a.csv");
  write("b/deep/er/m.csv");
  write("a.csv");
  EXPECT_EQ(listed({"b", "a.csv"}), "b/a.csv b/deep/er/m.csv b/z.csv a.csv ");
  EXPECT_EQ(listed({"a.csv", "b"}), "a.csv b/a.csv b/deep/er/m.csv b/z.csv ");
}

TEST_F(DiskSource, LeavesOutHiddenAndTemporaryFilesOfAFolder) {
  for (const auto* name : {"f/.hidden.csv", "f/.git/a.csv", "f/a.tmp", "f/a.part"}) write(name);
  EXPECT_THAT(listed({"f"}), HasSubstr("no files in this folder"));
  for (const auto* name : {"f/tmp", "f/a.csv.gz", "f/a.tmp.csv"}) write(name);
  EXPECT_EQ(listed({"f"}), "f/a.csv.gz f/a.tmp.csv f/tmp ");
}

TEST_F(DiskSource, TakesWhatIsNamedEvenIfHiddenOrTemporary) {
  write("f/.hidden.csv");
  write("f/.git/a.csv");
  write("f/a.part");
  EXPECT_EQ(listed({"f/.hidden.csv", "f/a.part", "f/.git"}),
            "f/.hidden.csv f/a.part f/.git/a.csv ");
}

TEST_F(DiskSource, ListsAFileNamedTwiceOnce) {
  write("f/a.csv");
  write("f/b.csv");
  EXPECT_EQ(listed({"f/b.csv", "f", "f/./b.csv", "f/../f/a.csv", "f/"}), "f/b.csv f/a.csv ");
}

TEST_F(DiskSource, FollowsLinksToFilesButNotToFolders) {
  write("elsewhere/x.csv");
  write("f/a.csv");
  fs::create_symlink("../elsewhere/x.csv", top() / "f/link.csv");
  fs::create_directory_symlink("..", top() / "f/loop");
  fs::create_symlink("nowhere", top() / "f/broken.csv");
  EXPECT_EQ(listed({"f"}), "f/a.csv f/link.csv ");
  fs::create_directory_symlink("elsewhere", top() / "named");
  EXPECT_EQ(listed({"named"}), "named/x.csv ");
  // The folder's other name makes no second file of it.
  EXPECT_EQ(listed({"named", "elsewhere"}), "named/x.csv ");
}

TEST_F(DiskSource, SaysWhatIsNotThere) {
  write("a.csv");
  EXPECT_EQ(listed({"a.csv", "b.csv"}),
            "error: " + (top() / "b.csv").string() + ": no such file or folder; check the path");
  EXPECT_THAT(listed({"a.csv/b.csv"}), HasSubstr("no such file or folder"));
  fs::create_directories(top() / "empty/below");
  EXPECT_THAT(listed({"empty"}), HasSubstr("no files in this folder"));
  const auto missing = list_files({top() / "b.csv"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  const auto empty = list_files({top() / "empty"});
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, Errc::invalid_argument);
}

TEST_F(DiskSource, DeliversAFileAtItsModificationTime) {
  write("a.csv", "Meter,Date");
  const std::array<timespec, 2> times = {
      timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
      timespec{.tv_sec = 1'556'668'800, .tv_nsec = 123'456'999},
  };
  ASSERT_EQ(::utimensat(AT_FDCWD, (top() / "a.csv").c_str(), times.data(), 0), 0);
  const auto incoming = file_delivery(top() / "a.csv");
  ASSERT_TRUE(incoming) << incoming.error().message;
  EXPECT_EQ(incoming->source, fs::canonical(top() / "a.csv"));
  EXPECT_EQ(incoming->delivered_at, Instant{1'556'668'800'123'456});
  EXPECT_EQ(incoming->bytes, 10u);
  EXPECT_EQ(read_all(*incoming), "Meter,Date");
  EXPECT_EQ(read_all(*incoming), "Meter,Date");  // A file can be opened again.
}

TEST_F(DiskSource, NamesTheSameFileTheSame) {
  write("f/a.csv");
  const auto plain = file_delivery(top() / "f/a.csv");
  const auto roundabout = file_delivery(top() / "f/./../f/a.csv");
  const auto relative = file_delivery(fs::relative(top() / "f/a.csv"));
  ASSERT_TRUE(plain && roundabout && relative);
  EXPECT_EQ(roundabout->source, plain->source);
  EXPECT_EQ(relative->source, plain->source);
}

TEST_F(DiskSource, DeliversNoFolderAndNothingThatIsNotThere) {
  const auto folder = file_delivery(top());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, Errc::invalid_argument);
  const auto missing = file_delivery(top() / "a.csv");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
}

TEST_F(DiskSource, SaysWhenAFileWentAwayBeforeItIsOpened) {
  write("a.csv");
  const auto incoming = file_delivery(top() / "a.csv");
  ASSERT_TRUE(incoming);
  fs::remove(top() / "a.csv");
  EXPECT_EQ(read_all(*incoming),
            "error: cannot open " + (top() / "a.csv").string() + ": No such file or directory");
}

/// Both ends of a new pipe, with `text` in it and closed for writing.
int filled_pipe(std::string_view text) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  return ends[0];
}

TEST_F(DiskSource, ReadsAPipeByNameOnce) {
  const int pipe = filled_pipe("from a pipe");
  const auto name = "/dev/fd/" + std::to_string(pipe);
  const auto listed = list_files({name, name});
  ASSERT_TRUE(listed) << listed.error().message;
  EXPECT_THAT(*listed, ElementsAre(fs::path(name)));
  const auto incoming = file_delivery(name);
  ASSERT_TRUE(incoming) << incoming.error().message;
  EXPECT_EQ(incoming->source, name);
  EXPECT_EQ(incoming->bytes, std::nullopt);
  EXPECT_GT(incoming->delivered_at, Instant{});
  EXPECT_EQ(read_all(*incoming), "from a pipe");
  EXPECT_EQ(read_all(*incoming), "error: " + name + " can be read once only");
  ::close(pipe);
}

TEST_F(DiskSource, TakesANamedPipeByNameButLeavesItOutInAFolder) {
  write("f/a.csv");
  ASSERT_EQ(::mkfifo((top() / "f/pipe").c_str(), 0600), 0);
  EXPECT_EQ(listed({"f"}), "f/a.csv ");
  EXPECT_EQ(listed({"f/pipe"}), "f/pipe ");
  const auto incoming = file_delivery(top() / "f/pipe");
  ASSERT_TRUE(incoming) << incoming.error().message;
  EXPECT_EQ(incoming->bytes, std::nullopt);
  // A reader must be there before one may write without waiting.
  const int writer = ::open((top() / "f/pipe").c_str(), O_RDWR | O_CLOEXEC);
  auto source = incoming->open();
  ASSERT_TRUE(source) << source.error().message;
  ASSERT_EQ(::write(writer, "abc", 3), 3);
  ::close(writer);
  std::array<char, 8> piece{};
  const auto count = (*source)->read(piece);
  ASSERT_TRUE(count);
  EXPECT_EQ(std::string_view(piece.data(), *count), "abc");
  EXPECT_EQ((*source)->read(piece).value_or(9), 0u);
}

TEST_F(DiskSource, ReadsStandardInputOnce) {
  const int saved = ::dup(STDIN_FILENO);
  const int pipe = filled_pipe("typed");
  ASSERT_EQ(::dup2(pipe, STDIN_FILENO), STDIN_FILENO);
  const auto incoming = stdin_delivery(Instant{42});
  EXPECT_EQ(incoming.source, "stdin");
  EXPECT_EQ(incoming.delivered_at, Instant{42});
  EXPECT_EQ(incoming.bytes, std::nullopt);
  EXPECT_EQ(read_all(incoming), "typed");
  EXPECT_EQ(read_all(incoming), "error: standard input can be read once only");
  EXPECT_NE(::fcntl(STDIN_FILENO, F_GETFD), -1);  // Reading it does not close it.
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
  ::close(pipe);
}

TEST_F(DiskSource, ALinkIsNotOpenedWhereLinksAreRefused) {
  write("real.csv", "abc");
  fs::create_symlink(top() / "real.csv", top() / "link.csv");
  EXPECT_TRUE(file_delivery(top() / "link.csv")->open());
  EXPECT_FALSE(file_delivery(top() / "link.csv", Links::refuse)->open());
  EXPECT_TRUE(file_delivery(top() / "real.csv", Links::refuse)->open());
}

}  // namespace
}  // namespace meterline::source
