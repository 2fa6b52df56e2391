#include "http/spool.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/try.h"

namespace meterline::http {
namespace {

std::string reason_of(int error) { return std::generic_category().message(error); }

class FileSource : public source::ByteSource {
 public:
  explicit FileSource(int file) : file_(file) {}

  Result<std::size_t> read(std::span<char> into) override {
    ssize_t count = -1;
    do {
      count = pread(file_, into.data(), into.size(), offset_);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
      return fail(Errc::unavailable, "cannot read a spooled upload: " + reason_of(errno));
    offset_ += count;
    return static_cast<std::size_t>(count);
  }

 private:
  int file_;
  off_t offset_ = 0;
};

}  // namespace

Spool::Spool(std::filesystem::path folder, std::size_t memory_bytes_max, Budget* temporary)
    : folder_(std::move(folder)), memory_bytes_max_(memory_bytes_max), share_(temporary) {}

Spool::~Spool() {
  if (file_ >= 0) close(file_);
}

Result<void> Spool::create_file() {
  std::error_code none;
  const auto folder = folder_.empty() ? std::filesystem::temp_directory_path(none) : folder_;
  if (none)
    return fail(Errc::unavailable,
                "cannot spool the upload: the folder that TMPDIR names is not there");
  std::string name = (folder / "meterline-upload-XXXXXX").string();
  file_ = mkostemp(name.data(), O_CLOEXEC);
  if (file_ < 0)
    return fail(Errc::unavailable, fmt::format("cannot spool the upload in {}: {}", folder.string(),
                                               reason_of(errno)));
  unlink(name.c_str());
  return {};
}

Result<void> Spool::append(std::string_view bytes) {
  if (file_ < 0 && size_ + bytes.size() <= memory_bytes_max_) {
    memory_ += bytes;
    size_ += bytes.size();
    return {};
  }
  if (!share_.grow((file_ < 0 ? memory_.size() : 0) + bytes.size()))
    return fail(Errc::unavailable,
                "the uploads of others take all the room that there is for them now: try again "
                "soon");
  std::string_view held;
  if (file_ < 0) {
    METERLINE_CHECK(create_file());
    held = memory_;
  }
  for (std::string_view rest : {held, bytes}) {
    while (!rest.empty()) {
      const ssize_t count = write(file_, rest.data(), rest.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail(Errc::unavailable, "cannot spool the upload: " + reason_of(errno));
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  memory_.clear();
  size_ += bytes.size();
  return {};
}

Result<std::unique_ptr<source::ByteSource>> Spool::open() const {
  if (file_ < 0) return source::make_memory_source(memory_);
  return std::make_unique<FileSource>(file_);
}

}  // namespace meterline::http
