#include "ingest/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/ingest.h"
#include "store/memory/memory_store.h"
#include "testing/store_days.h"

namespace meterline::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A day of hours, all of them `value` but the last.
std::string file_of(const std::string& value, const std::string& last) {
  std::string header = "Meter,Date";
  std::string row = "A,2019-01-01";
  for (int hour = 0; hour < 24; ++hour) {
    header += ',' + std::to_string(hour) + ":00";
    row += ',' + (hour < 23 ? value : last);
  }
  return header + '\n' + row + '\n';
}

const std::string file = file_of("1", "4");
const std::string other_file = file_of("1", "5");

/// Bytes that know their origin, as those of an object do.
class ObjectSource final : public source::ByteSource {
 public:
  ObjectSource(std::string text, source::Origin origin)
      : text_(std::move(text)), bytes_(source::make_memory_source(text_)), origin_(origin) {}
  std::optional<source::Origin> origin() const override { return origin_; }
  Result<std::size_t> read(std::span<char> into) override { return bytes_->read(into); }

 private:
  const std::string text_;
  std::unique_ptr<source::ByteSource> bytes_;
  const source::Origin origin_;
};

/// A listed object whose response says what the listing said, and counts how often it is opened.
class Object {
 public:
  explicit Object(std::string text, std::string tag = "\"1\"", std::int64_t second = 7)
      : text_(std::move(text)),
        origin_{.delivered_at = testing::second(second),
                .object_version = "v" + tag,
                .content_tag = std::move(tag)} {}

  source::Incoming listed(const std::string& key = "key") {
    return {.source = "s3://bucket/" + key,
            .delivered_at = origin_.delivered_at,
            .bytes = text_.size(),
            .content_tag = origin_.content_tag,
            .open = [this]() -> Result<std::unique_ptr<source::ByteSource>> {
              ++opened;
              return std::make_unique<ObjectSource>(text_, origin_);
            }};
  }
  /// As an event names it.
  source::Incoming announced() {
    auto incoming = listed();
    incoming.delivered_at = {};
    incoming.bytes.reset();
    incoming.content_tag.clear();
    return incoming;
  }

  int opened = 0;

 private:
  const std::string text_;
  const source::Origin origin_;
};

class ObjectLoad : public ::testing::Test {
 protected:
  DeliveryState load_one(const source::Incoming& incoming, Unit unit = Unit::kWh) {
    return load(incoming, *store_, {.unit = unit, .threads = 1}).report.state;
  }
  std::vector<std::string> missing(std::vector<source::Incoming> listed) {
    std::vector<std::string> sources;
    const auto found = without_answer(std::move(listed), *store_).value();
    for (const auto& incoming : found) sources.push_back(incoming.source);
    return sources;
  }

  std::unique_ptr<store::Store> store_ = store::make_memory_store();
};

TEST_F(ObjectLoad, TakesTimeVersionAndTagFromTheResponse) {
  Object object(file);
  const auto record = load(object.announced(), *store_, {.unit = Unit::kWh, .threads = 1});
  EXPECT_EQ(record.report.state, DeliveryState::stored);
  EXPECT_EQ(record.delivery.delivered_at, testing::second(7));
  EXPECT_EQ(record.delivery.object_version, "v\"1\"");
  EXPECT_EQ(record.delivery.content_tag, "\"1\"");
  const auto kept = store_->delivery(record.delivery.id).value().value();
  EXPECT_EQ(kept.delivery, record.delivery);
  EXPECT_EQ(kept.report, record.report);
}

TEST_F(ObjectLoad, AVersionIsNoPartOfTheIdentity) {
  Object object(file);
  Object same(file, "\"2\"", 8);
  EXPECT_EQ(load_one(object.announced()), DeliveryState::stored);
  EXPECT_EQ(load_one(same.announced()), DeliveryState::skipped);
  EXPECT_EQ(load_one(Object(other_file, "\"2\"", 8).announced()), DeliveryState::stored);
}

TEST_F(ObjectLoad, ATimeThatIsGivenStandsAboveTheResponse) {
  Object object(file);
  const auto record = load(source::redated(object.announced(), testing::second(99)), *store_,
                           {.unit = Unit::kWh, .threads = 1});
  EXPECT_EQ(record.delivery.delivered_at, testing::second(99));
  EXPECT_EQ(record.delivery.object_version, "v\"1\"");
  EXPECT_EQ(record.delivery.content_tag, "\"1\"");
}

TEST_F(ObjectLoad, OneThatIsStoredIsKnownByItsTagAndNotOpened) {
  Object object(file);
  EXPECT_EQ(load_one(object.listed()), DeliveryState::stored);
  EXPECT_EQ(object.opened, 1);
  EXPECT_EQ(load_one(object.listed()), DeliveryState::skipped);
  EXPECT_EQ(object.opened, 1);
}

TEST_F(ObjectLoad, OneOfTheSameSizeAndTimeButAnotherTagIsOpenedOnce) {
  Object object(file);
  Object other(other_file, "\"2\"");
  EXPECT_EQ(load_one(object.listed()), DeliveryState::stored);
  EXPECT_EQ(load_one(other.listed()), DeliveryState::stored);
  EXPECT_EQ(other.opened, 1);
}

TEST_F(ObjectLoad, AnotherUnitIsAnotherDelivery) {
  Object object(file);
  EXPECT_EQ(load_one(object.listed()), DeliveryState::stored);
  EXPECT_EQ(load_one(object.listed(), Unit::Wh), DeliveryState::stored);
}

TEST_F(ObjectLoad, ARefusedOneIsTriedAgain) {
  Object object("no such file");
  EXPECT_EQ(load_one(object.listed()), DeliveryState::refused);
  EXPECT_EQ(load_one(object.listed()), DeliveryState::refused);
  EXPECT_EQ(object.opened, 2);
}

using Sweep = ObjectLoad;

TEST_F(Sweep, FindsWhatHasNoAnswerAndOpensNothing) {
  Object stored(file);
  Object refused("no such file");
  Object absent(file);
  EXPECT_EQ(load_one(stored.listed("stored")), DeliveryState::stored);
  EXPECT_EQ(load_one(refused.listed("refused")), DeliveryState::refused);
  EXPECT_THAT(
      missing({stored.listed("stored"), absent.listed("absent"), refused.listed("refused")}),
      ElementsAre("s3://bucket/absent"));
  EXPECT_EQ(stored.opened + refused.opened + absent.opened, 2);
}

TEST_F(Sweep, FindsOneThatWasReplaced) {
  Object object(file);
  EXPECT_EQ(load_one(object.listed()), DeliveryState::stored);
  EXPECT_THAT(missing({object.listed()}), IsEmpty());
  EXPECT_THAT(missing({Object(other_file, "\"2\"").listed()}), SizeIs(1));
  EXPECT_THAT(missing({Object(file + "B,2019-01-02\n").listed()}), SizeIs(1));
  auto untagged = object.listed();
  untagged.content_tag.clear();
  EXPECT_THAT(missing({untagged}), SizeIs(1));
}

TEST_F(Sweep, AnswersForManyComeInTheirOrder) {
  Object object(file);
  std::vector<source::Incoming> listed;
  std::vector<std::string> absent;
  for (int i = 0; i < 200; ++i) {
    const auto key = std::to_string(i);
    listed.push_back(object.listed(key));
    if (i % 3 == 0)
      EXPECT_EQ(load_one(listed.back()), DeliveryState::stored);
    else
      absent.push_back("s3://bucket/" + key);
  }
  EXPECT_EQ(missing(listed), absent);
  EXPECT_THAT(missing({}), IsEmpty());
}

TEST_F(Sweep, WhatANewerReaderMayReadHasNoAnswer) {
  Object whole(file, "\"1\"");
  Object spoilt(file_of("1", "x"), "\"2\"");
  for (auto* const object : {&whole, &spoilt}) {
    const auto other = store::make_memory_store();
    const auto key = object == &whole ? "whole" : "spoilt";
    auto record = load(object->listed(key), *other, {.unit = Unit::kWh, .threads = 1});
    for (const std::uint32_t reader : {record.delivery.reader, record.delivery.reader - 1}) {
      store_ = store::make_memory_store();
      record.delivery.reader = reader;
      const auto writer = store_->write(record.delivery).value();
      ASSERT_TRUE(writer->commit(record.report));
      const bool is_wanted = object == &spoilt && reader == 0;
      EXPECT_EQ(missing({object->listed(key)}).size(), is_wanted ? 1U : 0U) << key << reader;
    }
  }
}

/// A store that cannot be asked.
TEST_F(Sweep, AnErrorOfTheStoreIsNoMissingObject) {
  class Broken final : public store::Store {
   public:
    Result<std::unique_ptr<store::DeliveryWriter>> write(std::span<const Delivery>) override {
      return error();
    }
    Result<void> read_registers(const store::ReadsQuery&,
                                const store::ReadVisitor&) const override {
      return {};
    }
    Result<void> read_days(const store::DaysQuery&, const store::DayVisitor&) const override {
      return error();
    }
    Result<void> read_months(const store::TotalsQuery&,
                             const store::MonthsVisitor&) const override {
      return error();
    }
    Result<std::vector<store::MeterInfo>> meters(const store::MetersQuery&) const override {
      return error();
    }
    Result<void> add_event(const DeliveryId&, const DeliveryEvent&) override { return error(); }
    Result<std::vector<store::DeliveryRecord>> deliveries(
        const store::DeliveriesQuery&) const override {
      return error();
    }
    Result<void> amend(const store::Amendment&) override { return error(); }
    Result<Unit> remember_unit(Unit) override { return error(); }
    Result<store::StoreStatus> status(store::StatusOf) const override { return error(); }

   private:
    static tl::unexpected<Error> error() { return fail(Errc::unavailable, "no quorum"); }
  };
  Object object(file);
  std::vector<source::Incoming> listed(50, object.listed());
  const auto asked = without_answer(std::move(listed), Broken());
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().message, "no quorum");
}

}  // namespace
}  // namespace meterline::ingest
