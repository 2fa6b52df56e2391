#include "app/s3_place.h"

#include <utility>
#include <vector>

#include "aws/objects.h"
#include "aws/session.h"
#include "core/try.h"
#include "source/s3/s3_source.h"

namespace meterline::app {
namespace {

using store::backup::FileFacts;
using store::backup::PlacedFile;

class S3Place final : public store::backup::Place {
 public:
  S3Place(std::shared_ptr<aws::Session> session, source::S3Url url)
      : session_(std::move(session)), objects_(aws::make_objects(session_)), url_(std::move(url)) {
    if (!url_.prefix.empty() && !url_.prefix.ends_with('/')) url_.prefix += '/';
  }

  std::string text() const override { return "s3://" + url_.bucket + '/' + url_.prefix; }

  Result<std::shared_ptr<const void>> use(store::backup::PlaceUse) override {
    return std::shared_ptr<const void>();
  }

  Result<std::vector<PlacedFile>> list() override {
    std::vector<PlacedFile> found;
    METERLINE_CHECK(objects_->list(
        url_.bucket, url_.prefix, [&](const aws::ListedObject& object) -> Result<void> {
          found.push_back(
              {.name = object.key.substr(url_.prefix.size()), .bytes = object.facts.bytes});
          return {};
        }));
    return found;
  }

  Result<void> put(const FileFacts& file, const std::filesystem::path& from) override {
    return aws::put_object(*session_, name_of(file.name), from, file.crc32c);
  }
  Result<void> put_text(const std::string& name, std::string_view text) override {
    return aws::put_object(*session_, name_of(name), text);
  }

  Result<void> read(const std::string& name,
                    const std::function<Result<void>(std::string_view)>& visit) override {
    constexpr std::size_t piece_bytes = std::size_t{1} << 20;
    METERLINE_TRY(const auto object, objects_->open(name_of(name)));
    std::string piece(piece_bytes, '\0');
    for (;;) {
      METERLINE_TRY(const auto count, object.bytes->read(piece));
      if (count == 0) return {};
      METERLINE_CHECK(visit(std::string_view(piece).substr(0, count)));
    }
  }

  Result<void> remove(const std::string& name) override {
    return aws::remove_object(*session_, name_of(name));
  }

 private:
  aws::ObjectName name_of(const std::string& name) const {
    return {.bucket = url_.bucket, .key = url_.prefix + name, .version_id = ""};
  }

  const std::shared_ptr<aws::Session> session_;
  const std::unique_ptr<aws::Objects> objects_;
  source::S3Url url_;
};

}  // namespace

Result<std::unique_ptr<store::backup::Place>> open_s3_place(const std::string& url) {
  METERLINE_TRY(auto parsed, source::parse_s3_url(url));
  if (!parsed)
    return fail(Errc::invalid_argument, "want a folder or s3://BUCKET/PREFIX, got " + url);
  METERLINE_TRY(auto session, aws::open_session());
  return std::make_unique<S3Place>(std::move(session), *std::move(parsed));
}

}  // namespace meterline::app
