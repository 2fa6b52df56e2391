#include "formats/espi_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>

namespace meterline::formats::espi {
namespace {

using ::testing::HasSubstr;

ReadingType energy() {
  return {.accumulation = 4, .commodity = 1, .flow = 1, .interval_length = 900, .uom = 72};
}

std::string said(const ReadingType& type, const Point& point = {}, const Block& block = {}) {
  const auto series = series_of(type, point, block);
  if (!series) return series.error().message;
  std::ostringstream text;
  text << series->channel << ' ' << series->step;
  if (series->multiplier != 0) text << " e" << series->multiplier;
  if (series->shape == Series::Shape::counted) text << " counted";
  if (series->shape == Series::Shape::register_state) text << " state";
  if (!series->remark.empty()) text << ' ' << series->remark;
  return text.str();
}

TEST(EspiSeries, FlowAndUnitAreTheChannel) {
  auto type = energy();
  EXPECT_EQ(said(type), "consumption/consumption/Wh 900");
  for (const auto& [flow, want] :
       {std::pair(19, "generation/generation/Wh"), std::pair(4, "net/other/Wh"),
        std::pair(0, "undirected/other/Wh"), std::pair(15, "flow-15/other/Wh")}) {
    type.flow = flow;
    EXPECT_EQ(said(type), std::string(want) + " 900");
  }
  for (const auto& [uom, want] : {std::pair(71, "apparent-generation/generation/VAh"),
                                  std::pair(73, "reactive-generation/reactive/varh"),
                                  std::pair(38, "power-generation/generation/W"),
                                  std::pair(61, "apparent-power-generation/generation/VA"),
                                  std::pair(63, "reactive-power-generation/reactive/var")}) {
    type.uom = uom;
    type.flow = 19;
    EXPECT_EQ(said(type), std::string(want) + " 900");
  }
}

TEST(EspiSeries, WhatElseTellsReadingsApartIsInTheName) {
  auto type = energy();
  type.tou = 2;
  type.tier = 3;
  EXPECT_THAT(said(type), HasSubstr("consumption-tou2-tier3/"));
  type = energy();
  type.phase = 129;
  type.qualifier = 8;
  EXPECT_THAT(said(type), HasSubstr("consumption-max-A/"));
  type.phase = 769;
  type.qualifier = 12;
  EXPECT_THAT(said(type), HasSubstr("consumption/"));
}

TEST(EspiSeries, OnlyElectricityIsKept) {
  auto type = energy();
  type.commodity = 7;
  EXPECT_THAT(said(type), HasSubstr("commodity is 7"));
  type.commodity = 2;
  EXPECT_THAT(said(type), HasSubstr("consumption"));
  type.commodity = -1;
  EXPECT_THAT(said(type, {.service_kind = 1}), HasSubstr("service 1"));
  EXPECT_THAT(said(type, {.service_kind = 0}), HasSubstr("consumption"));
  type.uom = 119;
  EXPECT_THAT(said(type), HasSubstr("(uom) is 119"));
  type.uom = -1;
  EXPECT_THAT(said(type), HasSubstr("(uom) is -1"));
  type = energy();
  type.is_bad = true;
  EXPECT_THAT(said(type), HasSubstr("no number"));
}

TEST(EspiSeries, TheTypeRulesOverWhatReadingsSay) {
  auto type = energy();
  Block block;
  block.multiplier.add(3);
  block.uom.add(72);
  EXPECT_EQ(said(type, {}, block), "consumption/consumption/Wh 900 e3") << "the type says none";
  type.uom = -1;
  EXPECT_EQ(said(type, {}, block), "consumption/consumption/Wh 900 e3");
  type.multiplier = 0;
  EXPECT_THAT(said(type, {}, block), HasSubstr("Wh 900 powerOfTenMultiplier is 0 in the"));
  type.uom = 73;
  type.multiplier = 3;
  EXPECT_THAT(said(type, {}, block), HasSubstr("varh 900 e3 uom is 73 in the ReadingType"));
  type.multiplier = 13;
  EXPECT_THAT(said(type, {}, block), HasSubstr("powerOfTenMultiplier is 13"));
  type.multiplier = ReadingType::no_multiplier;
  block.multiplier.add(0);
  EXPECT_THAT(said(type, {}, block), HasSubstr("has no powerOfTenMultiplier, and its readings"));
}

TEST(EspiSeries, ShapesFollowAccumulationAndLength) {
  auto type = energy();
  type.interval_length = 86400;
  EXPECT_THAT(said(type), HasSubstr(" 86400 counted"));
  type.uom = 38;
  EXPECT_THAT(said(type), HasSubstr("W of 86400 seconds is a demand"));
  type = energy();
  for (const int state : {1, 3}) {
    type.accumulation = state;
    EXPECT_THAT(said(type), HasSubstr(" 900 state"));
  }
  for (const int other : {2, 6, 9, 12, 14}) {
    type.accumulation = other;
    EXPECT_THAT(said(type), HasSubstr("accumulationBehaviour"));
  }
  type.uom = 38;
  EXPECT_THAT(said(type), HasSubstr("power-consumption")) << "indicating power";
  type = energy();
  for (const int step : {1200, 90, 1}) {
    type.interval_length = step;
    EXPECT_THAT(said(type), HasSubstr("are none of 1, 5, 10, 15, 30 and 60 minutes"));
  }
  type.interval_length = -1;
  EXPECT_THAT(said(type), HasSubstr("how long intervals are"));
  for (const int step : {60, 300, 600, 900, 1800, 3600}) {
    type.interval_length = step;
    EXPECT_EQ(said(type), "consumption/consumption/Wh " + std::to_string(step));
  }
}

TEST(EspiSeries, ReadingsSayHowLongTheyAre) {
  const Block block{
      .readings = {Reading{.start = 0, .duration = 0}, {.start = 0, .duration = 900}}};
  auto type = energy();
  EXPECT_EQ(said(type, {}, block), "consumption/consumption/Wh 900");
  type.interval_length = 3600;
  EXPECT_THAT(said(type, {}, block), HasSubstr("Wh 900 intervalLength is 3600"));
}

TEST(EspiSeries, TypesThatDifferInScaleAreOneQuantity) {
  auto type = energy();
  auto other = type;
  other.multiplier = 3;
  other.default_quality = 17;
  EXPECT_TRUE(are_same_quantity(type, other));
  other.interval_length = 3600;
  EXPECT_FALSE(are_same_quantity(type, other));
}

TEST(EspiSeries, TheMeterIsThePointOfTheLink) {
  const auto meter = [](std::string path, std::string title = "") {
    return meter_text_of({.path = std::move(path), .title = std::move(title)});
  };
  EXPECT_EQ(meter("espi/1_1/resource/RetailCustomer/9B6C7066/UsagePoint/5446AF3F"), "5446AF3F");
  EXPECT_EQ(meter("espi/1_1/resource/RetailCustomer/9B6C7066/UsagePoint/01"),
            "RetailCustomer:9B6C7066:UsagePoint:01");
  EXPECT_EQ(meter("User/u/UsagePoint/0"), "User:u:UsagePoint:0");
  EXPECT_EQ(meter("UsagePoint/MTIz=="), "MTIz.3D.3D");
  EXPECT_EQ(meter("UsagePoint/MTIz%3D%3D"), "MTIz.3D.3D");
  EXPECT_EQ(meter("", "Front Meter 7"), "Front_Meter_7");
}

TEST(EspiSeries, QualitiesAreClasses) {
  for (const int code : {0, 10, 14, 17, 18, 19, 255})
    EXPECT_EQ(quality_of(static_cast<std::uint8_t>(code)), Quality::actual) << code;
  for (const int code : {8, 9, 12, 13})
    EXPECT_EQ(quality_of(static_cast<std::uint8_t>(code)), Quality::estimated) << code;
  for (const int code : {7, 11, 15, 16, 20, 99})
    EXPECT_EQ(quality_of(static_cast<std::uint8_t>(code)), Quality::substituted) << code;
}

TEST(EspiSeries, LinksArePathsHoweverTheyAreWritten) {
  for (const auto* href : {"/a/b", "a/b/", "https://host.example:8443/a/b", "http://h/a/b?x=1#y"})
    EXPECT_EQ(path_of(href), "a/b") << href;
  EXPECT_EQ(path_of("https://host"), "");
}

}  // namespace
}  // namespace meterline::formats::espi
