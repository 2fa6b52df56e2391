#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "access/key_file.h"
#include "access/key_keeper.h"
#include "access/key_ring.h"
#include "testing/temp_folder.h"

namespace meterline::access {
namespace {

using ::testing::HasSubstr;

constexpr Instant now{.micros = 1'600'000'000'000'000};
constexpr Instant later{.micros = now.micros + 61'000'000};

NewKey key_of(std::initializer_list<Scope> scopes) {
  auto key = make_key().value();
  for (const Scope scope : scopes) key.record.scopes.add(scope);
  key.record.name = "app";
  key.record.created_at = now;
  return key;
}

std::string bearer(const std::string& key) { return "Bearer " + key; }

TEST(Keys, AreOfTheirForm) {
  const auto key = key_of({Scope::read});
  EXPECT_EQ(key.text.size(), key_chars);
  EXPECT_EQ(id_of_key(key.text), key.record.id);
  EXPECT_EQ(key.record.hash, sha256(key.text));
  EXPECT_NE(key.text, key_of({Scope::read}).text);
  for (const std::string& text : {std::string(), std::string("mlk_"), key.text + "0",
                                  key.text.substr(1), "MLK_" + key.text.substr(4)})
    EXPECT_FALSE(id_of_key(text)) << text;
}

TEST(Keys, AreReadAsTheyAreWritten) {
  auto one = key_of({Scope::read, Scope::upload}).record;
  one.meters = {"A*", "B"};
  one.expires_at = later;
  auto two = key_of({Scope::admin}).record;
  two.revoked_at = now;
  const auto text = text_of({one, two});
  const auto read = parse_keys(text).value();
  EXPECT_EQ(text_of(read), text);
  EXPECT_EQ(read[0].meters, one.meters);
  EXPECT_EQ(read[0].scopes, one.scopes);
  EXPECT_EQ(read[1].revoked_at, now);
}

TEST(Keys, NothingOfAWrongFileCounts) {
  const auto good = text_of({key_of({Scope::read}).record});
  ASSERT_TRUE(parse_keys(good));
  const auto with = [&](std::string_view what, std::string_view instead) {
    std::string text = good;
    text.replace(text.find(what), what.size(), instead);
    return text;
  };
  for (const auto& text :
       {std::string(), std::string("[]"), std::string(R"({"version":1})"),
        with("\"version\":1", "\"version\":2"), with("\"read\"", "\"write\""),
        with("[\"read\"]", "[]"), with("\"sha256\":\"", "\"sha256\":\"0"),
        with("\"scopes\"", "\"onlyFrom\":[],\"scopes\""), with("\"created\":\"", "\"created\":\"x"),
        with("\"scopes\"", "\"meters\":[\"a b\"],\"scopes\""),
        with("\"scopes\"", "\"meters\":\"A\",\"scopes\""),
        with("\"scopes\"", "\"expires\":null,\"scopes\"")})
    EXPECT_EQ(parse_keys(text).error().code, Errc::corrupt) << text;
  auto record = key_of({Scope::read}).record;
  EXPECT_THAT(parse_keys(text_of({record, record})).error().message, HasSubstr("twice"));
}

TEST(Keys, OpenForTheirOwnersOnly) {
  auto some = key_of({Scope::read});
  some.record.meters = {"A*"};
  const auto all = key_of({Scope::read, Scope::upload});
  auto expired = key_of({Scope::read});
  expired.record.expires_at = now;
  auto revoked = key_of({Scope::read});
  revoked.record.revoked_at = now;
  const KeyRing ring({some.record, all.record, expired.record, revoked.record});

  const auto caller = ring.admit(some.text, now).value();
  EXPECT_EQ(caller->who, "key:" + some.record.id);
  EXPECT_TRUE(caller->may(Scope::read));
  EXPECT_FALSE(caller->may(Scope::upload));
  EXPECT_FALSE(caller->sees_all());
  EXPECT_TRUE(caller->meters.admits("A1"));
  EXPECT_FALSE(caller->meters.admits("B1"));
  EXPECT_TRUE(ring.admit(all.text, now).value()->sees_all());

  auto forged = all.text;
  forged.back() = forged.back() == '0' ? '1' : '0';
  auto swapped = all.text;
  swapped.replace(4, key_id_chars, some.record.id);
  for (const auto& text : {forged, swapped, key_of({Scope::read}).text, std::string(), expired.text,
                           revoked.text, all.record.id, hex_of(all.record.hash)}) {
    const auto refused = ring.admit(text, now);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().detail, ring.admit("", now).error().detail);
  }
}

TEST(Keys, AdminsAreForAllMeters) {
  auto key = key_of({Scope::admin});
  EXPECT_TRUE(KeyRing({key.record}).admit(key.text, now).value()->may(Scope::upload));
  key.record.meters = {"A*"};
  const auto caller = KeyRing({key.record}).admit(key.text, now).value();
  EXPECT_FALSE(caller->may(Scope::admin));
  EXPECT_FALSE(caller->may(Scope::read));
}

class KeyFile : public ::testing::Test {
 protected:
  void add(const KeyRecord& record) const {
    ASSERT_TRUE(change_key_file(path_, [&](std::vector<KeyRecord>& keys) -> Result<void> {
      keys.push_back(record);
      return {};
    }));
  }
  testing::TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "keys.json";
};

TEST_F(KeyFile, IsForItsOwnerOnly) {
  add(key_of({Scope::read}).record);
  add(key_of({Scope::read}).record);
  EXPECT_EQ(read_key_file(path_).value().size(), 2);
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(chmod(path_.c_str(), 0620), 0);
  EXPECT_EQ(read_key_file(path_).error().code, Errc::refused);
}

TEST_F(KeyFile, StaysWhereAChangeFails) {
  add(key_of({Scope::read}).record);
  EXPECT_FALSE(change_key_file(path_, [](std::vector<KeyRecord>& keys) -> Result<void> {
    keys.clear();
    return fail(Errc::not_found, "no");
  }));
  EXPECT_EQ(read_key_file(path_).value().size(), 1);
}

TEST_F(KeyFile, IsFollowedWhereItChanges) {
  const auto first = key_of({Scope::read});
  const auto second = key_of({Scope::read});
  add(first.record);
  auto source = source_of_file(path_);
  std::vector<std::string> faults;
  source.on_fault = [&](std::string_view fault) { faults.emplace_back(fault); };
  const auto keeper = KeyKeeper::open(source).value();
  EXPECT_TRUE(keeper->admit(bearer(first.text), now));
  EXPECT_FALSE(keeper->admit(bearer(second.text), now));
  add(second.record);
  keeper->refresh(now);
  EXPECT_TRUE(keeper->admit(bearer(second.text), now));

  std::ofstream(path_) << "{";  // What cannot be read opens for nobody and closes for nobody.
  keeper->refresh(now);
  keeper->refresh(now);
  EXPECT_TRUE(keeper->admit(bearer(first.text), now));
  EXPECT_EQ(faults.size(), 1);
  std::filesystem::remove(path_);
  add(second.record);
  keeper->refresh(now);
  EXPECT_FALSE(keeper->admit(bearer(first.text), now));
}

TEST_F(KeyFile, TellsWhenKeysWereUsed) {
  const auto key = key_of({Scope::read});
  add(key.record);
  const auto keeper = KeyKeeper::open(source_of_file(path_)).value();
  keeper->refresh(now);
  EXPECT_TRUE(read_uses(uses_path(path_)).empty());
  ASSERT_TRUE(keeper->admit(bearer(key.text), now));
  keeper->refresh(now);
  EXPECT_EQ(read_uses(uses_path(path_)), (std::map<std::string, Instant>{{key.record.id, now}}));
  ASSERT_TRUE(keeper->admit(bearer(key.text), later));
  keeper->refresh({.micros = now.micros + 1});  // Too soon to write again.
  EXPECT_EQ(read_uses(uses_path(path_)).at(key.record.id), now);
  keeper->refresh(later);
  EXPECT_EQ(read_uses(uses_path(path_)).at(key.record.id), later);
}

TEST(BearerToken, IsWhatStandsBehindTheScheme) {
  EXPECT_EQ(bearer_token("Bearer abc"), "abc");
  EXPECT_EQ(bearer_token("bearer  abc"), "abc");
  EXPECT_EQ(bearer_token("").error().reason, Denial::Reason::missing);
  for (const std::string_view wrong : {"Basic abc", "Bearer", "abc", "Bearerabc"})
    EXPECT_EQ(bearer_token(wrong).error().reason, Denial::Reason::invalid) << wrong;
}

}  // namespace
}  // namespace meterline::access
