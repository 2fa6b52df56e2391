#include "core/meter_filter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace meterline {
namespace {

using Patterns = std::vector<std::string>;

MeterFilter filter_of(const Patterns& patterns) { return MeterFilter::parse(patterns).value(); }

TEST(MeterFilter, AdmitsNamesAndBeginnings) {
  const auto filter = filter_of({"EE1*", "EE00027", "B", "EE12"});
  for (const std::string_view meter : {"EE00027", "EE1", "EE12", "EE1z", "B"})
    EXPECT_TRUE(filter.admits(meter)) << meter;
  for (const std::string_view meter :
       {"EE00028", "EE0002", "EE000277", "EE", "BB", "A", "F", "ee1"})
    EXPECT_FALSE(filter.admits(meter)) << meter;
  EXPECT_FALSE(filter.is_all());
}

TEST(MeterFilter, HasNoMetersByDefaultAndAllByAStar) {
  EXPECT_FALSE(MeterFilter().admits("A"));
  EXPECT_FALSE(filter_of({}).admits("A"));
  EXPECT_FALSE(MeterFilter().is_all());
  EXPECT_TRUE(MeterFilter::all().admits("A"));
  EXPECT_TRUE(filter_of({"A", "*"}).is_all());
}

TEST(MeterFilter, RefusesWhatNamesNoMeter) {
  for (const std::string pattern : {"", "A B", "A**", "*A", "Ä", "A/B"})
    EXPECT_EQ(MeterFilter::parse(Patterns{pattern}).error().code, Errc::invalid_argument)
        << pattern;
  EXPECT_FALSE(MeterFilter::parse(Patterns{std::string(meter_id_chars_max + 1, 'A')}));
  EXPECT_EQ(MeterFilter::parse(Patterns(filter_patterns_max + 1, "A")).error().code,
            Errc::too_large);
}

TEST(MeterFilter, KnowsItsNamesWhereItHasNoBeginnings) {
  const auto names = filter_of({"B", "A", "B"});
  ASSERT_TRUE(names.names());
  EXPECT_EQ(names.names()->size(), 2);
  EXPECT_EQ(names.names()->front().text(), "A");
  EXPECT_FALSE(filter_of({"B", "A*"}).names());
}

RC_GTEST_PROP(MeterFilter, AdmitsWhatAnyPatternCovers, ()) {
  const auto text = rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab")));
  const auto names = *rc::gen::container<Patterns>(rc::gen::nonEmpty(text));
  const auto prefixes = *rc::gen::container<Patterns>(text);
  const auto meter = *rc::gen::nonEmpty(text);
  Patterns patterns = names;
  for (const auto& prefix : prefixes) patterns.push_back(prefix + '*');
  const auto filter = MeterFilter::parse(patterns);
  RC_PRE(filter.has_value());
  const bool named = std::find(names.begin(), names.end(), meter) != names.end();
  const bool begun = std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
    return meter.starts_with(prefix);
  });
  RC_ASSERT(filter->admits(meter) == (named || begun));
}

}  // namespace
}  // namespace meterline
