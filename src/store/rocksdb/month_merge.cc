#include "store/rocksdb/month_merge.h"

#include <string_view>
#include <vector>

#include "store/rocksdb/database.h"
#include "store/rocksdb/meter_channels.h"
#include "store/rocksdb/month_block.h"
#include "store/rocksdb/month_totals.h"

namespace meterline::store {
namespace {

using Values = std::vector<std::string_view>;
using Unite = Result<void> (*)(const Values& values, std::string& merged);

class SetMerge final : public rocksdb::MergeOperator {
 public:
  SetMerge(const char* name, Unite unite) : name_(name), unite_(unite) {}

  const char* Name() const override { return name_; }
  bool AllowSingleOperand() const override { return true; }

  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override {
    if (in.existing_value == nullptr && in.operand_list.size() == 1) {
      out->existing_operand = in.operand_list.front();
      return true;
    }
    Values values;
    values.reserve(in.operand_list.size() + 1);
    if (in.existing_value != nullptr) values.push_back(view_of(*in.existing_value));
    for (const auto& operand : in.operand_list) values.push_back(view_of(operand));
    return unite_(values, out->new_value).has_value();
  }

  bool PartialMergeMulti(const rocksdb::Slice& /*key*/, const std::deque<rocksdb::Slice>& operands,
                         std::string* merged, rocksdb::Logger* /*log*/) const override {
    Values values;
    values.reserve(operands.size());
    for (const auto& operand : operands) values.push_back(view_of(operand));
    return unite_(values, *merged).has_value();
  }

 private:
  const char* name_;
  Unite unite_;
};

}  // namespace

Result<void> unite_values(Family family, const Values& values, std::string& united) {
  return family == Family::days ? merge_month_blocks(values, united)
                                : merge_month_totals(values, united);
}

std::shared_ptr<rocksdb::MergeOperator> make_days_merge() {
  return std::make_shared<SetMerge>(
      "meterline.days",
      [](const Values& values, std::string& merged) { return merge_month_blocks(values, merged); });
}

std::shared_ptr<rocksdb::MergeOperator> make_totals_merge() {
  return std::make_shared<SetMerge>(
      "meterline.totals",
      [](const Values& values, std::string& merged) { return merge_month_totals(values, merged); });
}

std::shared_ptr<rocksdb::MergeOperator> make_meters_merge() {
  return std::make_shared<SetMerge>("meterline.meters",
                                    [](const Values& values, std::string& merged) {
                                      return merge_meter_channels(values, merged);
                                    });
}

}  // namespace meterline::store
