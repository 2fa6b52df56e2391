#include "store/rocksdb/united.h"

#include <algorithm>

#include "store/rocksdb/meters.h"
#include "store/rocksdb/month.h"

namespace meterline::store::rocksdb {
void EntryBuffer::add(std::string_view key, std::string_view value) {
  entries_.push_back({.at = bytes_.size(),
                      .key_bytes = static_cast<std::uint32_t>(key.size()),
                      .value_bytes = static_cast<std::uint32_t>(value.size())});
  bytes_ += key;
  bytes_ += value;
}

void EntryBuffer::sort() {
  const std::string_view bytes = bytes_;
  const auto key = [&](const Entry& entry) { return bytes.substr(entry.at, entry.key_bytes); };
  std::stable_sort(entries_.begin(), entries_.end(),
                   [&](const Entry& a, const Entry& b) { return key(a) < key(b); });
}

std::size_t EntryBuffer::count_before(std::string_view key) const {
  const std::string_view bytes = bytes_;
  const auto found = std::partition_point(
      entries_.begin(), entries_.end(),
      [&](const Entry& entry) { return bytes.substr(entry.at, entry.key_bytes) < key; });
  return static_cast<std::size_t>(found - entries_.begin());
}

void EntryBuffer::clear() {
  bytes_.clear();
  entries_.clear();
}

namespace {

using Values = std::vector<std::string_view>;
using Unite = Result<void> (*)(const Values& values, std::string& merged);

class SetMerge final : public ::rocksdb::MergeOperator {
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

  bool PartialMergeMulti(const ::rocksdb::Slice& /*key*/,
                         const std::deque<::rocksdb::Slice>& operands, std::string* merged,
                         ::rocksdb::Logger* /*log*/) const override {
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

std::shared_ptr<::rocksdb::MergeOperator> make_days_merge() {
  return std::make_shared<SetMerge>(
      "meterline.days",
      [](const Values& values, std::string& merged) { return merge_month_blocks(values, merged); });
}

std::shared_ptr<::rocksdb::MergeOperator> make_totals_merge() {
  return std::make_shared<SetMerge>(
      "meterline.totals",
      [](const Values& values, std::string& merged) { return merge_month_totals(values, merged); });
}

std::shared_ptr<::rocksdb::MergeOperator> make_meters_merge() {
  return std::make_shared<SetMerge>("meterline.meters",
                                    [](const Values& values, std::string& merged) {
                                      return merge_meter_channels(values, merged);
                                    });
}

void UnitedIterator::seek(std::string_view from) {
  stored_.Seek(slice_of(from));
  end_ = recent_.count_before(from);
  settle_forward();
}

void UnitedIterator::seek_back(std::string_view to) {
  stored_.SeekForPrev(slice_of(to));
  begin_ = recent_.count_before(to);
  while (begin_ < recent_.size() && recent_.key(begin_) == to) ++begin_;
  settle_backward();
}

void UnitedIterator::next() {
  if (uses_stored_) stored_.Next();
  settle_forward();
}

void UnitedIterator::previous() {
  if (uses_stored_) stored_.Prev();
  settle_backward();
}

/// From the entries that come next in both: which one is it, or is it both?
void UnitedIterator::settle_forward() {
  begin_ = end_;
  uses_stored_ = stored_.Valid();
  uses_recent_ = begin_ < recent_.size();
  if (uses_stored_ && uses_recent_) {
    const int order = view_of(stored_.key()).compare(recent_.key(begin_));
    uses_stored_ = order <= 0;
    uses_recent_ = order >= 0;
  }
  if (uses_recent_)
    while (end_ < recent_.size() && recent_.key(end_) == recent_.key(begin_)) ++end_;
  unite();
}

void UnitedIterator::settle_backward() {
  end_ = begin_;
  uses_stored_ = stored_.Valid();
  uses_recent_ = end_ > 0;
  if (uses_stored_ && uses_recent_) {
    const int order = view_of(stored_.key()).compare(recent_.key(end_ - 1));
    uses_stored_ = order >= 0;
    uses_recent_ = order <= 0;
  }
  if (uses_recent_)
    while (begin_ > 0 && recent_.key(begin_ - 1) == recent_.key(end_ - 1)) --begin_;
  unite();
}

void UnitedIterator::unite() {
  if (!stored_.status().ok()) status_ = database_error("read the store", stored_.status());
  is_valid_ = status_ && (uses_stored_ || uses_recent_);
  if (!is_valid_ || !uses_recent_) return;
  std::vector<std::string_view> values;
  if (uses_stored_) values.push_back(view_of(stored_.value()));
  for (auto i = begin_; i < end_; ++i) values.push_back(recent_.value(i));
  status_ = unite_values(family_, values, united_);
  is_valid_ = status_.has_value();
}

}  // namespace meterline::store::rocksdb
