#include "access/audit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "testing/temp_folder.h"

namespace meterline::access {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Instant now{.micros = 1'600'000'000'000'000};
const std::string nothing(64, '0');

class Audit : public ::testing::Test {
 protected:
  void write(int events) {
    const auto log = AuditLog::open(path_).value();
    for (int i = 0; i < events; ++i)
      ASSERT_TRUE(log->add({.at = now,
                            .who = "key:1",
                            .method = "POST",
                            .route = "deliveries",
                            .meter = "EE00027",
                            .status = 201}));
  }
  std::vector<std::string> lines() const {
    std::ifstream file(path_);
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
  }
  void put(const std::vector<std::string>& all) const {
    std::ofstream file(path_);
    for (const auto& line : all) file << line << '\n';
  }
  /// The first broken line; 0: none.
  std::int64_t broken() const {
    const auto checked = check_audit_log(path_).value();
    const auto* const found = std::get_if<AuditBreak>(&checked);
    return found == nullptr ? 0 : found->line;
  }
  AuditSummary summary(std::string_view wanted = "") const {
    return std::get<AuditSummary>(check_audit_log(path_, wanted).value());
  }

  testing::TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "audit.log";
};

TEST_F(Audit, IsALineAnEvent) {
  write(1);
  const auto line = lines().at(0);
  EXPECT_THAT(line,
              ::testing::StartsWith(R"({"number":1,"at":"2020-09-13T12:26:40Z","who":"key:1",)"
                                    R"("method":"POST","route":"deliveries","meter":")"));
  EXPECT_THAT(line, HasSubstr(R"("status":201,"previous":")" + nothing + R"(","hash":")"));
  EXPECT_THAT(line, Not(HasSubstr("EE00027")));
  EXPECT_THAT(line, HasSubstr(audit_meter_hash(path_, "EE00027").value()));
}

TEST_F(Audit, GoesOnWhereItEnded) {
  write(2);
  write(2);
  EXPECT_EQ(broken(), 0);
  EXPECT_EQ(summary().lines, 4);
  EXPECT_TRUE(summary(summary().last_hash).has_wanted);
  EXPECT_FALSE(summary(nothing).has_wanted);
}

TEST_F(Audit, NamesTheFirstLineThatIsBroken) {
  write(5);
  const auto good = lines();
  const auto broken_by = [&](const std::function<void(std::vector<std::string>&)>& change) {
    auto all = good;
    change(all);
    put(all);
    return broken();
  };
  EXPECT_EQ(broken_by([](auto& all) { all[2].replace(all[2].find("201"), 3, "403"); }), 3);
  EXPECT_EQ(broken_by([](auto& all) { all.erase(all.begin() + 1); }), 2);
  EXPECT_EQ(broken_by([](auto& all) { all.erase(all.begin()); }), 1);
  EXPECT_EQ(broken_by([](auto& all) { all.insert(all.begin() + 3, all[2]); }), 4);
  EXPECT_EQ(broken_by([](auto& all) { std::swap(all[3], all[4]); }), 4);
  EXPECT_EQ(broken_by([](auto& all) { all[4] += ' '; }), 5);
  EXPECT_EQ(broken_by([](auto& all) { all[1] = "{}"; }), 2);
  EXPECT_EQ(broken_by([](auto& all) { all[0].clear(); }), 1);
  EXPECT_EQ(broken_by([](auto&) {}), 0);
}

TEST_F(Audit, CutsOffWhatACrashLeft) {
  write(2);
  std::ofstream(path_, std::ios::app) << R"({"number":3,"at")";
  EXPECT_EQ(broken(), 3);
  write(1);
  EXPECT_EQ(broken(), 0);
  EXPECT_EQ(summary().lines, 3);
}

TEST_F(Audit, DoesNotGoOnBehindABrokenLine) {
  write(1);
  put({"{}"});
  EXPECT_EQ(AuditLog::open(path_).error().code, Errc::corrupt);
}

TEST_F(Audit, IsWrittenByOneProcess) {
  const auto log = AuditLog::open(path_).value();
  EXPECT_EQ(AuditLog::open(path_).error().code, Errc::unavailable);
}

TEST_F(Audit, DoesNotFillTheDiskWithRefusals) {
  {
    const auto log = AuditLog::open(path_).value();
    const AuditEvent event{.at = now, .method = "GET", .route = "meters", .status = 401};
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(log->add_refusal(event));
    ASSERT_TRUE(log->add({.at = now, .method = "POST", .route = "deliveries", .status = 201}));
  }
  EXPECT_EQ(summary().lines, 11);
  EXPECT_THAT(lines().back(), HasSubstr(R"("refusalsLeftOut":90)"));
}

}  // namespace
}  // namespace meterline::access
