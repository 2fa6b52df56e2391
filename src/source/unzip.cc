#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "core/try.h"
#include "source/decoders.h"

namespace meterline::source {
namespace {

/// The record that ends every zip: 22 bytes and a comment of at most 65,535.
constexpr std::string_view end_record_magic = "PK\5\6";
constexpr std::size_t end_record_bytes = 22;
constexpr std::size_t end_record_bytes_max = end_record_bytes + 65'535;

struct FreeArchive {
  void operator()(archive* a) const { archive_read_free(a); }
};

/// No path and no command: what a person may read.
std::string shown_name(const char* name) {
  constexpr std::size_t name_bytes_max = 255;
  std::string shown = name == nullptr ? "" : std::string(name).substr(0, name_bytes_max);
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return shown;
}

class Unzip : public ByteSource, public ZipFiles {
 public:
  explicit Unzip(PackedInput input) : input_(std::move(input)), archive_(archive_read_new()) {}

  Result<void> begin() {
    if (!archive_) return fail(Errc::unavailable, "not enough memory to expand a zip file");
    archive_read_support_format_zip_streamable(archive_.get());
    if (archive_read_open(archive_.get(), this, nullptr, give_block, nullptr) != ARCHIVE_OK)
      return failed();
    return {};
  }

  Result<std::size_t> read(std::span<char> into) override {
    if (files_ == 0) {
      METERLINE_TRY(const bool any, next_file());
      if (!any) return fail(Errc::refused, "the zip file has no file in it");
      begin_file();
    }
    if (at_end_) return 0;
    const la_ssize_t count = archive_read_data(archive_.get(), into.data(), into.size());
    if (count < 0) return failed();
    if (count > 0) return static_cast<std::size_t>(count);
    at_end_ = true;
    another_ = look_ahead();
    if (!another_ && files_ == 1) return tl::unexpected<Error>(another_.error());
    return 0;
  }

  const std::string& name() const override { return name_; }

  Result<bool> next() override {
    auto another = another_;
    if (another && *another) begin_file();
    return another;
  }

 private:
  static la_ssize_t give_block(archive* /*archive*/, void* self, const void** block) {
    return static_cast<Unzip*>(self)->give_block(block);
  }

  la_ssize_t give_block(const void** block) {
    input_.consume(given_);
    given_ = 0;
    if (auto more = input_.pending().empty() ? input_.refill() : true; !more) {
      input_error_ = std::move(more).error();
      return -1;
    }
    const auto pending = input_.pending();
    keep_tail(pending);
    given_ = pending.size();
    *block = pending.data();
    return static_cast<la_ssize_t>(given_);
  }

  void keep_tail(std::string_view block) {
    tail_ += block;
    if (tail_.size() > end_record_bytes_max) tail_.erase(0, tail_.size() - end_record_bytes_max);
  }

  tl::unexpected<Error> damaged(std::string_view what) const {
    return fail(Errc::corrupt, fmt::format("zip file damaged before byte {}: {}; fetch it again",
                                           input_.offset() + given_, what));
  }

  tl::unexpected<Error> failed() const {
    if (input_error_) return tl::unexpected<Error>(*input_error_);
    const char* why = archive_error_string(archive_.get());
    return damaged(why != nullptr ? why : "unknown reason");
  }

  /// Documents of office programs are zips of parts, in no certain order.
  static Result<void> check_name(std::string_view name) {
    for (const std::string_view part : {"[Content_Types].xml", "_rels/", "docProps/", "xl/"})
      if (name.starts_with(part))
        return fail(Errc::refused,
                    "this is an Excel workbook (.xlsx), or another document of Office; save its "
                    "sheet as CSV (UTF-8)");
    if (name == "mimetype")
      return fail(Errc::refused,
                  "this is an OpenDocument spreadsheet (.ods), or another document of that kind; "
                  "save its sheet as CSV (UTF-8)");
    return {};
  }

  /// Goes to the next regular file. False when there is none.
  Result<bool> next_file() {
    archive_entry* entry = nullptr;
    for (;;) {
      const int status = archive_read_next_header(archive_.get(), &entry);
      if (status == ARCHIVE_EOF) return false;
      if (status < ARCHIVE_WARN) return failed();
      if (archive_entry_is_encrypted(entry) != 0)
        return fail(Errc::refused, "the zip file is encrypted; unpack it and load its files");
      if (archive_entry_filetype(entry) != AE_IFREG) continue;
      if (files_ == zip_files_max)
        return fail(Errc::refused, fmt::format("the zip file has more than {} files in it; unpack "
                                               "it and load the folder",
                                               zip_files_max));
      next_name_ = shown_name(archive_entry_pathname(entry));
      METERLINE_CHECK(check_name(next_name_));
      return true;
    }
  }

  void begin_file() {
    name_ = std::exchange(next_name_, {});
    another_ = false;
    at_end_ = false;
    ++files_;
  }

  /// Whether another file follows. Nothing else may but the zip's own directory, whole.
  Result<bool> look_ahead() {
    METERLINE_TRY(const bool another, next_file());
    if (another) return true;
    input_.consume(given_);
    given_ = 0;
    do {
      keep_tail(input_.pending());
      input_.consume(input_.pending().size());
      METERLINE_TRY(const bool more, input_.refill());
      if (!more) break;
    } while (true);
    if (!ends_with_end_record()) return damaged("its end is missing");
    return false;
  }

  bool ends_with_end_record() const {
    const auto at = tail_.rfind(end_record_magic);
    if (at == std::string::npos || tail_.size() - at < end_record_bytes) return false;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(tail_[at + i]); };
    const std::size_t comment_bytes = byte(20) + 256u * byte(21);
    return tail_.size() - at == end_record_bytes + comment_bytes;
  }

  PackedInput input_;
  std::unique_ptr<archive, FreeArchive> archive_;
  std::size_t given_ = 0;  ///< Pending bytes of input_ that libarchive holds.
  std::string tail_;       ///< The last bytes read, for the record at the end.
  std::optional<Error> input_error_;
  int files_ = 0;  ///< That were begun.
  std::string name_;
  std::string next_name_;
  bool at_end_ = false;
  Result<bool> another_ = false;  ///< At the end of a file.
};

}  // namespace

bool is_zip(std::string_view head) {
  return head.starts_with("PK\3\4") || head.starts_with(end_record_magic);
}

Result<Content> unzip(PackedInput input) {
  auto source = std::make_unique<Unzip>(std::move(input));
  METERLINE_CHECK(source->begin());
  auto* const files = source.get();
  return Content{.bytes = std::move(source), .zip = files};
}

}  // namespace meterline::source
