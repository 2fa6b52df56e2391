#include "ingest/row_sorter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <span>
#include <system_error>

#include "core/try.h"
#include "formats/csv_rows.h"

namespace meterline::ingest {
namespace {

constexpr std::size_t write_buffer_bytes = 1 << 20;
constexpr std::size_t read_buffers_bytes = 2 << 20;  ///< Of all runs together.
constexpr std::size_t read_buffer_bytes_min = 16 << 10;
/// What a meter takes in a table, about.
constexpr std::size_t meter_bytes = 128;
/// Rows stand in memory in another order than they are visited in: so many are fetched ahead.
constexpr std::size_t rows_ahead = 8;
constexpr std::size_t cache_line_bytes = 64;

/// In a temporary file, a head with this number and no row tells whose the rows behind it are.
constexpr std::uint32_t names_a_meter = std::numeric_limits<std::uint32_t>::max();

/// Of rows of one meter.
bool is_before(const RowHead& a, const RowHead& b) {
  const auto day_a = day_key(a);
  const auto day_b = day_key(b);
  return day_a != day_b ? day_a < day_b : a.line < b.line;
}

bool is_before(const SortedRow& a, const SortedRow& b) {
  const int meters = a.meter.compare(b.meter);
  return meters != 0 ? meters < 0 : is_before(a.head, b.head);
}

}  // namespace

/// A temporary file of sorted runs, one after another.
class RowSorter::Spool {
 public:
  static Result<std::unique_ptr<Spool>> create(const std::filesystem::path& folder,
                                               Budget* temporary) {
    std::error_code none;
    const auto where = folder.empty() ? std::filesystem::temp_directory_path(none) : folder;
    if (none)
      return fail(Errc::unavailable,
                  "cannot make a temporary file: the folder that TMPDIR names is not there");
    std::string name = (where / "meterline-rows-XXXXXX").string();
    const int fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) return error("make a temporary file in " + where.string());
    ::unlink(name.c_str());
    return std::unique_ptr<Spool>(new Spool(fd, temporary));
  }
  ~Spool() { ::close(fd_); }
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  Result<void> append(std::string_view bytes) {
    buffer_ += bytes;
    return buffer_.size() < write_buffer_bytes ? Result<void>() : flush();
  }
  Result<void> end_run() {
    METERLINE_CHECK(flush());
    run_ends_.push_back(size_);
    return {};
  }

  /// Reads up to into.size() bytes from `at` on.
  Result<std::size_t> read(std::uint64_t at, std::span<char> into) const {
    const auto count = ::pread(fd_, into.data(), into.size(), static_cast<off_t>(at));
    if (count < 0) return error("read the temporary file of rows");
    return static_cast<std::size_t>(count);
  }
  const std::vector<std::uint64_t>& run_ends() const { return run_ends_; }

 private:
  Spool(int fd, Budget* temporary) : fd_(fd), share_(temporary) {}

  static tl::unexpected<Error> error(const std::string& doing) {
    const std::string reason = std::strerror(errno);
    return fail(Errc::unavailable,
                fmt::format("cannot {}: {}; large files that are out of order need room there "
                            "(TMPDIR names another folder)",
                            doing, reason));
  }

  Result<void> flush() {
    if (!share_.grow(buffer_.size()))
      return fail(
          Errc::unavailable,
          "temporary files have reached the most that they may take together: try again when "
          "other loads are done, or raise --temporary-bytes-max");
    for (std::string_view rest = buffer_; !rest.empty();) {
      const auto count = ::write(fd_, rest.data(), rest.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return error("write the temporary file of rows");
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
    size_ += buffer_.size();
    buffer_.clear();
    return {};
  }

  int fd_;
  BudgetShare share_;
  std::string buffer_;
  std::uint64_t size_ = 0;
  std::vector<std::uint64_t> run_ends_;
};

/// Goes through rows that are in order.
class RowSorter::Cursor {
 public:
  virtual ~Cursor() = default;
  /// Goes to the first row, then to the next. What the row before points to stays valid.
  virtual Result<void> next() = 0;
  bool is_at_end() const { return is_at_end_; }
  const SortedRow& row() const { return row_; }

 protected:
  void stand_on(const char* at, std::string_view meter) {
    row_ = {.meter = meter, .head = head_at(at), .packed = packed_at(at), .labels = labels_at(at)};
  }
  void end() { is_at_end_ = true; }

 private:
  SortedRow row_;
  bool is_at_end_ = false;
};

/// The rows in memory, once sorted.
class RowSorter::Memory final : public RowSorter::Cursor {
 public:
  explicit Memory(const RowSorter& sorter) : sorter_(sorter) {}

  Result<void> next() override {
    const char* const at = sorter_.is_ascending_ ? next_as_it_came() : next_sorted();
    if (at == nullptr)
      end();
    else
      stand_on(at, sorter_.meters_.meter(head_at(at).meter));
    return {};
  }

 private:
  const char* next_as_it_came() {
    if (at_ == sorter_.bytes_) return nullptr;
    const char* const row = sorter_.memory_.bytes.get() + at_;
    at_ += bytes_of(head_at(row));
    return row;
  }
  const char* next_sorted() {
    const auto& rows = sorter_.sorted_;
    if (at_ == rows.size()) return nullptr;
    if (at_ + rows_ahead < rows.size()) {
      __builtin_prefetch(rows[at_ + rows_ahead]);
      __builtin_prefetch(rows[at_ + rows_ahead] + cache_line_bytes);
    }
    return rows[at_++];
  }

  const RowSorter& sorter_;
  std::size_t at_ = 0;  ///< In the memory or in sorted_.
};

/// Reads one run of a spool from its start to its end.
class RowSorter::Run final : public RowSorter::Cursor {
 public:
  Run(const Spool& spool, std::uint64_t begin, std::uint64_t end, std::size_t buffer_bytes)
      : spool_(spool), at_(begin), end_(end), buffer_bytes_(buffer_bytes) {}

  Result<void> next() override {
    METERLINE_TRY(const char* at, take());
    if (at != nullptr && head_at(at).meter == names_a_meter) {
      name_ = 1 - name_;
      names_[name_] = packed_at(at);
      METERLINE_TRY(at, take());
    }
    if (at == nullptr)
      end();
    else
      stand_on(at, names_[name_]);
    return {};
  }

 private:
  /// The next head and what is behind it; null at the end.
  Result<const char*> take() {
    if (!has_whole()) METERLINE_CHECK(refill());
    if (used_ == buffer_.text().size()) return nullptr;
    const char* const at = buffer_.text().data() + used_;
    used_ += bytes_of(head_at(at));
    return at;
  }
  /// Whether the next row is here, and the name before it, if there is one.
  bool has_whole() const {
    auto rest = buffer_.text().substr(used_);
    for (;;) {
      if (rest.size() < sizeof(RowHead)) return false;
      const RowHead head = head_at(rest.data());
      if (rest.size() < bytes_of(head)) return false;
      if (head.meter != names_a_meter) return true;
      rest.remove_prefix(bytes_of(head));
    }
  }

  /// The bytes before stay where they are until the next time.
  Result<void> refill() {
    before_.shorten(0);
    before_.append(buffer_.text().substr(used_));
    before_.swap(buffer_);
    used_ = 0;
    while (at_ < end_ && !has_whole()) {
      const auto room = buffer_.room(buffer_bytes_);
      const auto wanted = std::min<std::uint64_t>(room.size(), end_ - at_);
      METERLINE_TRY(const auto count, spool_.read(at_, room.first(wanted)));
      if (count == 0) break;
      buffer_.added(count);
      at_ += count;
    }
    if (!buffer_.text().empty() && !has_whole())
      return fail(Errc::corrupt, "the temporary file of rows is too short");
    return {};
  }

  const Spool& spool_;
  std::uint64_t at_;
  const std::uint64_t end_;
  const std::size_t buffer_bytes_;
  formats::TextBuffer buffer_;
  formats::TextBuffer before_;
  std::size_t used_ = 0;
  std::array<std::string, 2> names_;  ///< Of this meter and of the one before.
  std::size_t name_ = 0;
};

RowSorter::RowSorter(Options options, RowMemory& memory)
    : options_(std::move(options)), memory_(memory) {}
RowSorter::~RowSorter() = default;

/// Counts a row, whose meter is that of meters_.
void RowSorter::take(const RowHead& head) {
  if (rows_count_ > 0 && is_ascending_)
    is_ascending_ = head.meter == last_.meter
                        ? is_before(last_, head)
                        : meters_.meter(last_.meter) < meters_.meter(head.meter);
  last_ = head;
  ++rows_count_;
  ++rows_of_meter_[head.meter];
}

bool RowSorter::is_full() const {
  const std::size_t order_bytes = is_ascending_ ? 0 : rows_count_ * sizeof(char*);
  return bytes_ + order_bytes + meters_.size() * meter_bytes >= options_.bytes_max;
}

Result<void> RowSorter::make_room(std::size_t bytes) {
  if (bytes_ + bytes <= memory_.size) return {};
  if (bytes_ > 0) METERLINE_CHECK(spill());
  if (bytes <= memory_.size) return {};
  memory_.size = std::max(bytes, options_.bytes_max);
  memory_.bytes = std::make_unique_for_overwrite<char[]>(memory_.size);
  return {};
}

Result<void> RowSorter::add(const PackedRows& rows, std::int64_t lines) {
  METERLINE_CHECK(make_room(rows.bytes.size()));
  std::vector<std::uint32_t> numbers(rows.meter_ends.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = meters_.number_of(rows.meter(i));
  rows_of_meter_.resize(meters_.size());

  char* at = memory_.bytes.get() + bytes_;
  std::copy(rows.bytes.begin(), rows.bytes.end(), at);
  bytes_ += rows.bytes.size();
  for (const char* const end = memory_.bytes.get() + bytes_; at < end;) {
    RowHead head = head_at(at);
    head.meter = numbers[head.meter];
    head.line += lines;
    take(head);
    put_head(head, at);
    at += bytes_of(head);
  }
  return is_full() ? spill() : Result<void>();
}

/// Puts the rows of each meter together by counting them, then those of each meter in order, which
/// they mostly are.
void RowSorter::sort() {
  sorted_.clear();
  if (is_ascending_) return;
  std::vector<std::size_t> place(meters_.size());
  const auto order = meters_.ascending();
  std::size_t behind = 0;
  for (const auto meter : order) {
    place[meter] = behind;
    behind += rows_of_meter_[meter];
  }
  sorted_.resize(rows_count_);
  for (const char *at = memory_.bytes.get(), *end = at + bytes_; at < end;
       at += bytes_of(head_at(at)))
    sorted_[place[head_at(at).meter]++] = at;

  // Rows of one line stand in the order in which they came, as all of a file may be one line.
  const auto is_row_before = [](const char* a, const char* b) {
    const auto head_a = head_at(a);
    const auto head_b = head_at(b);
    const bool is_same_place = day_key(head_a) == day_key(head_b) && head_a.line == head_b.line;
    return is_same_place ? a < b : is_before(head_a, head_b);
  };
  auto begin = sorted_.begin();
  for (const auto meter : order) {
    const auto end = begin + rows_of_meter_[meter];
    if (!std::is_sorted(begin, end, is_row_before)) std::sort(begin, end, is_row_before);
    begin = end;
  }
}

Result<void> RowSorter::spill() {
  if (!spool_) {
    METERLINE_TRY(spool_, Spool::create(options_.folder, options_.temporary));
  }
  sort();
  Memory rows(*this);
  std::uint32_t meter = names_a_meter;
  const auto append = [&](const RowHead& head, std::string_view bytes) -> Result<void> {
    METERLINE_CHECK(spool_->append({reinterpret_cast<const char*>(&head), sizeof(head)}));
    return spool_->append(bytes);
  };
  for (;;) {
    METERLINE_CHECK(rows.next());
    if (rows.is_at_end()) break;
    const SortedRow& row = rows.row();
    if (row.head.meter != meter) {
      const RowHead name{.meter = names_a_meter,
                         .packed_bytes = static_cast<std::uint32_t>(row.meter.size())};
      METERLINE_CHECK(append(name, row.meter));
      meter = row.head.meter;
    }
    METERLINE_CHECK(append(row.head, row.packed));
    METERLINE_CHECK(spool_->append(row.labels));
  }
  METERLINE_CHECK(spool_->end_run());
  sorted_.clear();
  rows_of_meter_.clear();
  meters_.clear();
  bytes_ = 0;
  rows_count_ = 0;
  is_ascending_ = true;
  return {};
}

/// Merges the runs of the spool and what is in memory.
Result<void> RowSorter::merge(const Visitor& visit) {
  const auto& ends = spool_->run_ends();
  const std::size_t buffer_bytes =
      std::max(read_buffer_bytes_min, read_buffers_bytes / ends.size());
  for (std::size_t i = 0; i < ends.size(); ++i)
    cursors_.push_back(
        std::make_unique<Run>(*spool_, i == 0 ? 0 : ends[i - 1], ends[i], buffer_bytes));
  cursors_.push_back(std::make_unique<Memory>(*this));

  const auto is_later = [](const Cursor* a, const Cursor* b) {
    return is_before(b->row(), a->row());
  };
  std::vector<Cursor*> waiting;
  for (const auto& cursor : cursors_) {
    METERLINE_CHECK(cursor->next());
    if (!cursor->is_at_end()) waiting.push_back(cursor.get());
  }
  std::make_heap(waiting.begin(), waiting.end(), is_later);
  while (!waiting.empty()) {
    std::pop_heap(waiting.begin(), waiting.end(), is_later);
    Cursor* const first = waiting.back();
    waiting.pop_back();
    do {
      METERLINE_CHECK(visit(first->row()));
      METERLINE_CHECK(first->next());
    } while (!first->is_at_end() && (waiting.empty() || !is_later(first, waiting.front())));
    if (first->is_at_end()) continue;
    waiting.push_back(first);
    std::push_heap(waiting.begin(), waiting.end(), is_later);
  }
  return {};
}

Result<void> RowSorter::visit(const Visitor& visit) {
  sort();
  if (spool_) return merge(visit);
  Memory rows(*this);
  for (;;) {
    METERLINE_CHECK(rows.next());
    if (rows.is_at_end()) return {};
    METERLINE_CHECK(visit(rows.row()));
  }
}

}  // namespace meterline::ingest
