#include "formats/foreign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace meterline::formats {
namespace {

TEST(Foreign, IsCalledByItsName) {
  const std::initializer_list<std::pair<std::string_view, std::string_view>> cases = {
      {"<html xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>", "this is an HTML page"},
      {"\r\n <!DOCTYPE HTML><title>Sign in", "this is an HTML page"},
      {"<?xml version=\"1.0\"?><!DOCTYPE html>", "this is an HTML page"},
      {"<?xml version=\"1.0\"?>\n<Readings>", "this is XML"},
      {"{\"readings\": []}", "this is JSON"},
      {"[\n  {\"meter\": 1}]", "this is JSON"},
      {"\xD0\xCF\x11\xE0\xA1\xB1", "this is an Excel workbook (.xls); save its sheet as CSV"},
      {"%PDF-1.7", "this is a PDF document"},
      {"\xFD"
       "7zXZ",
       "this is packed with xz; unpack it first"},
  };
  for (const auto& [head, want] : cases)
    EXPECT_THAT(foreign_text(head), ::testing::HasSubstr(std::string(want))) << head;
}

TEST(Foreign, RecordsAreCalledByTheirName) {
  EXPECT_THAT(foreign_records("HDR,ICPCONS,1.1,RETA\nDET,,0000000050ZZ000"),
              ::testing::HasSubstr("this is NZ EIEP13A"));
  EXPECT_THAT(foreign_records("HDR,X\r\nDET,1"), ::testing::HasSubstr("this is an NZ EIEP file"));
  EXPECT_EQ(foreign_records("HDR,Meter,Date,0:00\nA"), "");
}

TEST(Foreign, WhatMayBeCsvIsLeftToItsHeader) {
  for (const std::string_view head :
       {"", "Meter,Date,0:00", "<", "< 5,Meter", "{Meter},Date", "[Meter],[Date],[00:00]",
        "[00:30]", "200,Meter,Date\n1", "HDR,Meter,Date,0:00\nA", "100,200,300", "\"<a>\",Meter"})
    EXPECT_EQ(foreign_text(head), "") << head;
}

}  // namespace
}  // namespace meterline::formats
