#include "ingest/row_sorter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>

#include "core/try.h"

namespace meterline::ingest {
namespace {

constexpr std::size_t write_buffer_bytes = 1 << 20;
constexpr std::size_t read_buffers_bytes = 16 << 20;  ///< Of all runs together.
constexpr std::size_t read_buffer_bytes_min = 64 << 10;

bool is_before(const char* a, const char* b) { return record_key(a) < record_key(b); }

}  // namespace

/// A temporary file of sorted runs, one after another.
class RowSorter::Spool {
 public:
  static Result<std::unique_ptr<Spool>> create(const std::filesystem::path& folder) {
    const auto where = folder.empty() ? std::filesystem::temp_directory_path() : folder;
    std::string name = (where / "meterline-rows-XXXXXX").string();
    const int fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) return error("make a temporary file in " + where.string());
    ::unlink(name.c_str());
    return std::unique_ptr<Spool>(new Spool(fd));
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
  explicit Spool(int fd) : fd_(fd) {}

  static tl::unexpected<Error> error(const std::string& doing) {
    const std::string reason = std::strerror(errno);
    return fail(Errc::unavailable,
                fmt::format("cannot {}: {}; large files that are out of order need room there "
                            "(TMPDIR names another folder)",
                            doing, reason));
  }

  Result<void> flush() {
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
  std::string buffer_;
  std::uint64_t size_ = 0;
  std::vector<std::uint64_t> run_ends_;
};

/// Reads one run of a spool from its start to its end.
class RowSorter::Run {
 public:
  Run(const Spool& spool, std::uint64_t begin, std::uint64_t end, std::size_t buffer_bytes)
      : spool_(spool), at_(begin), end_(end), buffer_bytes_(buffer_bytes) {}

  /// Null at the end.
  const char* record() const { return record_; }

  Result<void> next() {
    if (record_ != nullptr) used_ += record_bytes(record_);
    const std::size_t left = buffer_.size() - used_;
    const bool has_whole =
        left >= record_head_bytes && left >= record_bytes(buffer_.data() + used_);
    if (!has_whole) METERLINE_CHECK(refill());
    record_ = used_ < buffer_.size() ? buffer_.data() + used_ : nullptr;
    return {};
  }

 private:
  Result<void> refill() {
    buffer_.erase(0, used_);
    used_ = 0;
    std::size_t filled = buffer_.size();
    buffer_.resize(buffer_bytes_);
    while (filled < buffer_.size() && at_ < end_) {
      const auto wanted = std::min<std::uint64_t>(buffer_.size() - filled, end_ - at_);
      METERLINE_TRY(const auto count, spool_.read(at_, {buffer_.data() + filled, wanted}));
      if (count == 0) return fail(Errc::corrupt, "the temporary file of rows is too short");
      filled += count;
      at_ += count;
    }
    buffer_.resize(filled);
    return {};
  }

  const Spool& spool_;
  std::uint64_t at_;
  const std::uint64_t end_;
  const std::size_t buffer_bytes_;
  std::string buffer_;
  std::size_t used_ = 0;
  const char* record_ = nullptr;
};

RowSorter::RowSorter(Options options) : options_(std::move(options)) {}
RowSorter::~RowSorter() = default;

Result<void> RowSorter::add(std::string records) {
  if (records.empty()) return {};
  bytes_ += records.capacity();
  batches_.push_back(std::move(records));
  const std::string& batch = batches_.back();
  for (const char *at = batch.data(), *end = at + batch.size(); at < end; at += record_bytes(at)) {
    if (records_.empty() || !is_before(records_.back(), at)) rises_.push_back(records_.size());
    records_.push_back(at);
  }
  return bytes_ + records_.size() * sizeof(char*) < options_.bytes_max ? Result<void>() : spill();
}

/// Merges neighbouring ascending stretches, two by two, until there is one: files are mostly in
/// some order, and so are the rows of many files.
void RowSorter::sort() {
  const auto at = [this](std::size_t index) {
    return records_.begin() + static_cast<std::ptrdiff_t>(index);
  };
  while (rises_.size() > 1) {
    std::vector<std::size_t> longer;
    for (std::size_t i = 0; i < rises_.size(); i += 2) {
      longer.push_back(rises_[i]);
      if (i + 1 == rises_.size()) break;
      const std::size_t end = i + 2 < rises_.size() ? rises_[i + 2] : records_.size();
      std::inplace_merge(at(rises_[i]), at(rises_[i + 1]), at(end), is_before);
    }
    rises_ = std::move(longer);
  }
}

Result<void> RowSorter::spill() {
  if (!spool_) {
    METERLINE_TRY(spool_, Spool::create(options_.folder));
  }
  sort();
  for (const char* record : records_)
    METERLINE_CHECK(spool_->append({record, record_bytes(record)}));
  METERLINE_CHECK(spool_->end_run());
  records_.clear();
  rises_.clear();
  batches_.clear();
  bytes_ = 0;
  return {};
}

Result<void> RowSorter::merge(const Visitor& visit) {
  const auto& ends = spool_->run_ends();
  const std::size_t buffer_bytes =
      std::max(read_buffer_bytes_min, read_buffers_bytes / ends.size());
  std::vector<std::unique_ptr<Run>> runs;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    runs.push_back(std::make_unique<Run>(*spool_, i == 0 ? 0 : ends[i - 1], ends[i], buffer_bytes));
    METERLINE_CHECK(runs.back()->next());
  }
  const auto is_later = [](const auto& a, const auto& b) {
    return is_before(b->record(), a->record());
  };
  std::unique_ptr<Run> ended;  ///< Its last record stays valid while the next is visited.
  std::make_heap(runs.begin(), runs.end(), is_later);
  while (!runs.empty()) {
    std::pop_heap(runs.begin(), runs.end(), is_later);
    Run& first = *runs.back();
    METERLINE_CHECK(visit(first.record()));
    METERLINE_CHECK(first.next());
    if (first.record() == nullptr) {
      ended = std::move(runs.back());
      runs.pop_back();
    } else {
      std::push_heap(runs.begin(), runs.end(), is_later);
    }
  }
  return {};
}

Result<void> RowSorter::visit(const Visitor& visit) {
  if (spool_) {
    if (!records_.empty()) METERLINE_CHECK(spill());
    return merge(visit);
  }
  sort();
  for (const char* record : records_) METERLINE_CHECK(visit(record));
  return {};
}

}  // namespace meterline::ingest
