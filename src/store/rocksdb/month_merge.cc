#include "store/rocksdb/month_merge.h"

#include <string_view>
#include <vector>

#include "store/rocksdb/month_block.h"

namespace meterline::store {
namespace {

std::string_view view_of(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

class MonthMerge final : public rocksdb::MergeOperator {
 public:
  const char* Name() const override { return "meterline.month"; }
  bool AllowSingleOperand() const override { return true; }

  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override {
    std::vector<std::string_view> blocks;
    if (in.existing_value != nullptr) blocks.push_back(view_of(*in.existing_value));
    for (const auto& operand : in.operand_list) blocks.push_back(view_of(operand));
    return merge_month_blocks(blocks, out->new_value).has_value();
  }

  bool PartialMergeMulti(const rocksdb::Slice& /*key*/, const std::deque<rocksdb::Slice>& operands,
                         std::string* merged, rocksdb::Logger* /*log*/) const override {
    std::vector<std::string_view> blocks;
    blocks.reserve(operands.size());
    for (const auto& operand : operands) blocks.push_back(view_of(operand));
    return merge_month_blocks(blocks, *merged).has_value();
  }
};

}  // namespace

std::shared_ptr<rocksdb::MergeOperator> make_month_merge() {
  return std::make_shared<MonthMerge>();
}

}  // namespace meterline::store
