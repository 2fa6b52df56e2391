#include "store/rocksdb/united_iterator.h"

#include <vector>

#include "store/rocksdb/month_merge.h"

namespace meterline::store {

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

}  // namespace meterline::store
