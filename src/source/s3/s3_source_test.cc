#include "source/s3/s3_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/try.h"

namespace meterline::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A bucket in memory. What the tests change between two requests is what they are about.
class Bucket final : public aws::Objects {
 public:
  struct Object {
    std::string text;
    std::int64_t second = 1;
    std::string etag = "\"1\"";
  };

  Result<void> list(const std::string& bucket, const std::string& prefix,
                    const std::function<Result<void>(const aws::ListedObject&)>& visit) override {
    if (bucket != "bucket") return fail(Errc::not_found, "no such bucket");
    for (const auto& [key, object] : objects)
      if (key.starts_with(prefix)) METERLINE_CHECK(visit({.key = key, .facts = facts_of(object)}));
    return {};
  }

  Result<aws::OpenObject> open(const aws::ObjectName& name,
                               const aws::GetOptions& options) override {
    ++opened;
    if (failure) return tl::unexpected(*failure);
    const auto found = objects.find(name.key);
    if (found == objects.end()) return fail(Errc::not_found, "no such key");
    if (honours_if_match && !options.if_match.empty() && options.if_match != found->second.etag)
      return fail(Errc::unavailable, "it was replaced meanwhile");
    return aws::OpenObject{.facts = facts_of(found->second),
                           .bytes = make_memory_source(found->second.text)};
  }

  static aws::ObjectFacts facts_of(const Object& object) {
    return {.bytes = object.text.size(),
            .etag = object.etag,
            .version_id = "v" + object.etag,
            .last_modified = {object.second * 1'000'000}};
  }

  std::map<std::string, Object> objects;
  std::optional<Error> failure;
  bool honours_if_match = true;
  int opened = 0;
};

std::string text_of(ByteSource& bytes) {
  std::string text(100, '\0');
  text.resize(bytes.read(text).value());
  return text;
}

std::string opened_text(const Incoming& incoming) {
  const auto opened = incoming.open();
  return opened ? text_of(**opened) : opened.error().message;
}

std::string error_of(std::string_view url) {
  const auto parsed = parse_s3_url(url);
  return parsed ? "no error" : parsed.error().message;
}

TEST(S3Url, IsTakenApart) {
  const auto parsed = [](std::string_view url) { return parse_s3_url(url).value().value(); };
  EXPECT_EQ(parsed("s3://bucket"), (S3Url{.bucket = "bucket", .prefix = ""}));
  EXPECT_EQ(parsed("s3://bucket/"), (S3Url{.bucket = "bucket", .prefix = ""}));
  EXPECT_EQ(parsed("s3://a.b-c/x y/%2B+é/"), (S3Url{.bucket = "a.b-c", .prefix = "x y/%2B+é/"}));
  EXPECT_EQ(parsed("s3://bucket//x"), (S3Url{.bucket = "bucket", .prefix = "/x"}));
}

TEST(S3Url, OtherTextIsNone) {
  for (const auto* text : {"", "-", "/s3://bucket", "S3://bucket", "s3:/bucket", "./s3"})
    EXPECT_FALSE(parse_s3_url(text).value().has_value()) << text;
}

TEST(S3Url, OneWithoutAProperBucketIsRefused) {
  for (const auto* text : {"s3://", "s3:///key", "s3://ab/key", "s3://a b/key", "s3://arn:aws:s3/x",
                           "s3://bücket/key"})
    EXPECT_THAT(error_of(text), HasSubstr("want s3://BUCKET")) << text;
  EXPECT_THAT(error_of("s3://bucket/" + std::string(1025, 'x')), HasSubstr("at most 1024 bytes"));
}

class S3Source : public ::testing::Test {
 protected:
  std::shared_ptr<Bucket> bucket_ = std::make_shared<Bucket>();
  const Incoming incoming_ = object_delivery(bucket_, {.bucket = "bucket", .key = "a b+%é"});
};

TEST_F(S3Source, AnObjectIsADeliveryOfItsResponse) {
  EXPECT_EQ(incoming_.source, "s3://bucket/a b+%é");
  EXPECT_FALSE(incoming_.bytes);
  EXPECT_EQ(bucket_->opened, 0);
  bucket_->objects["a b+%é"] = {.text = "text", .second = 7};
  const auto opened = incoming_.open();
  ASSERT_TRUE(opened);
  EXPECT_EQ(text_of(**opened), "text");
  const auto origin = (*opened)->origin();
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->delivered_at, Instant{7'000'000});
  EXPECT_EQ(origin->object_version, "v\"1\"");
  EXPECT_EQ(origin->content_tag, "\"1\"");
}

TEST_F(S3Source, OpenedAgainItGivesTheSameBytes) {
  bucket_->objects["a b+%é"] = {.text = "text"};
  EXPECT_EQ(opened_text(incoming_), "text");
  EXPECT_EQ(opened_text(incoming_), "text");
}

TEST_F(S3Source, ReplacedBetweenTwoOpeningsItIsUnavailable) {
  const Bucket::Object first{.text = "text"};
  const Bucket::Object others[] = {{.text = "text", .second = 1, .etag = "\"2\""},
                                   {.text = "text", .second = 2},
                                   {.text = "texts"}};
  for (const auto& other : others) {
    // A server that does not know If-Match must not make us mix two objects.
    for (const bool honours : {true, false}) {
      bucket_->honours_if_match = honours;
      bucket_->objects["a"] = first;
      const auto incoming = object_delivery(bucket_, {.bucket = "bucket", .key = "a"});
      EXPECT_EQ(opened_text(incoming), "text");
      bucket_->objects["a"] = other;
      const auto again = incoming.open();
      ASSERT_FALSE(again);
      EXPECT_EQ(again.error().code, Errc::unavailable);
      EXPECT_THAT(again.error().message, HasSubstr("replaced"));
    }
  }
}

TEST_F(S3Source, RemovedBetweenTwoOpeningsItIsUnavailable) {
  bucket_->objects["a b+%é"] = {.text = "text"};
  EXPECT_EQ(opened_text(incoming_), "text");
  bucket_->objects.clear();
  const auto again = incoming_.open();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::unavailable);
  EXPECT_THAT(again.error().message, HasSubstr("s3://bucket/a b+%é was replaced or removed"));
}

TEST_F(S3Source, WhatWasNeverThereIsNotFound) {
  EXPECT_EQ(incoming_.open().error().code, Errc::not_found);
}

TEST_F(S3Source, ADeniedRequestIsNoFaultOfTheFile) {
  bucket_->failure = Error{.code = Errc::refused, .message = "AccessDenied"};
  const auto opened = incoming_.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::unavailable);
  EXPECT_EQ(opened.error().message, "AccessDenied");
}

TEST_F(S3Source, AListingLeavesOutFoldersAndWhatIsEmpty) {
  bucket_->objects = {{"a/", {.text = ""}},         {"a/1", {.text = "one", .second = 5}},
                      {"a/empty", {.text = ""}},    {"a/folder/", {.text = "marked"}},
                      {"a/é +%2B", {.text = "22"}}, {"b", {.text = "other"}}};
  const auto listed = list_objects(bucket_, {.bucket = "bucket", .prefix = "a/"}).value();
  std::vector<std::string> sources;
  for (const auto& incoming : listed) sources.push_back(incoming.source);
  EXPECT_THAT(sources, ElementsAre("s3://bucket/a/1", "s3://bucket/a/é +%2B"));
  EXPECT_EQ(listed[0].bytes, 3U);
  EXPECT_EQ(listed[0].content_tag, "\"1\"");
  EXPECT_EQ(listed[0].delivered_at, Instant{5'000'000});
  EXPECT_EQ(bucket_->opened, 0);
  EXPECT_EQ(opened_text(listed[1]), "22");
}

TEST_F(S3Source, AListingOfNothingIsAnError) {
  bucket_->objects = {{"a/", {.text = ""}}};
  const auto empty = list_objects(bucket_, {.bucket = "bucket", .prefix = "a"});
  EXPECT_EQ(empty.error().code, Errc::invalid_argument);
  EXPECT_EQ(empty.error().message, "there are no objects below s3://bucket/a");
  EXPECT_EQ(list_objects(bucket_, {.bucket = "other", .prefix = ""}).error().code, Errc::not_found);
}

TEST_F(S3Source, BatchesAreAsLongAsAskedForAndTheLastHasTheRest) {
  for (int i = 0; i < 7; ++i) bucket_->objects["k" + std::to_string(i)] = {.text = "x"};
  std::vector<std::string> seen;
  const auto note = [&](const std::vector<Incoming>& batch) -> Result<void> {
    seen.push_back(std::to_string(batch.size()) + " from " + batch.front().source);
    return {};
  };
  ASSERT_TRUE(visit_objects(bucket_, {.bucket = "bucket", .prefix = ""}, 3, note));
  EXPECT_THAT(
      seen, ElementsAre("3 from s3://bucket/k0", "3 from s3://bucket/k3", "1 from s3://bucket/k6"));
  const auto stop = [](const auto&) { return fail(Errc::cancelled, "enough"); };
  EXPECT_EQ(visit_objects(bucket_, {.bucket = "bucket", .prefix = ""}, 3, stop).error().message,
            "enough");
  EXPECT_TRUE(visit_objects(bucket_, {.bucket = "bucket", .prefix = "none"}, 3, stop));
}

}  // namespace
}  // namespace meterline::source
