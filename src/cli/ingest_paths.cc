#include "cli/ingest_paths.h"

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <utility>

#include "cli/clock.h"
#include "core/finding.h"
#include "core/try.h"
#include "source/disk/disk_source.h"
#ifdef METERLINE_CLOUD
#include "aws/objects.h"
#include "aws/session.h"
#include "source/s3/s3_source.h"
#endif

namespace meterline::cli {
namespace {

bool is_object_url(std::string_view path) { return path.starts_with("s3://"); }

#ifdef METERLINE_CLOUD
Result<std::shared_ptr<aws::Objects>> open_objects() {
  METERLINE_TRY(auto session, aws::open_session());
  return std::shared_ptr<aws::Objects>(aws::make_objects(std::move(session)));
}

Result<std::vector<source::Incoming>> list_objects(const std::string& url) {
  METERLINE_TRY(const auto parsed, source::parse_s3_url(url));
  METERLINE_TRY(const auto objects, open_objects());
  return source::list_objects(objects, *parsed);
}

Result<ObjectLister> lister_of(const std::vector<std::string>& urls) {
  std::vector<source::S3Url> all;
  for (const auto& url : urls) {
    METERLINE_TRY(auto parsed, source::parse_s3_url(url));
    all.push_back(*std::move(parsed));
  }
  METERLINE_TRY(const auto objects, open_objects());
  return [all, objects](std::size_t batch_max, const BatchVisitor& visit) -> Result<void> {
    for (const auto& url : all)
      METERLINE_CHECK(source::visit_objects(objects, url, batch_max, visit));
    return {};
  };
}
#else
tl::unexpected<Error> without_s3(const std::string& url) {
  return fail(Errc::invalid_argument,
              fmt::format("this meterline was built without S3 (-DMETERLINE_CLOUD=OFF), so it "
                          "cannot read {}; scripts/build.sh builds one that can",
                          excerpt_of(url)));
}

Result<std::vector<source::Incoming>> list_objects(const std::string& url) {
  return without_s3(url);
}

Result<ObjectLister> lister_of(const std::vector<std::string>& urls) {
  return without_s3(urls.front());
}
#endif

Result<std::vector<source::Incoming>> files_of(const std::string& path) {
  METERLINE_TRY(const auto files, source::list_files({path}));
  std::vector<source::Incoming> incoming;
  for (const auto& file : files) {
    METERLINE_TRY(auto delivery, source::file_delivery(file));
    incoming.push_back(std::move(delivery));
  }
  return incoming;
}

}  // namespace

Result<std::vector<source::Incoming>> incoming_of(const std::vector<std::string>& paths) {
  std::vector<source::Incoming> incoming;
  for (const auto& path : paths) {
    if (path == "-") {
      incoming.push_back(source::stdin_delivery(now()));
      continue;
    }
    METERLINE_TRY(auto some, is_object_url(path) ? list_objects(path) : files_of(path));
    incoming.insert(incoming.end(), std::make_move_iterator(some.begin()),
                    std::make_move_iterator(some.end()));
  }
  return incoming;
}

Result<ObjectLister> objects_below(const std::vector<std::string>& urls) {
  for (const auto& url : urls) {
    if (!is_object_url(url))
      return fail(Errc::invalid_argument,
                  fmt::format("--sweep looks for objects that nobody announced: want "
                              "s3://BUCKET/PREFIX, got \"{}\"; files are loaded without it",
                              excerpt_of(url)));
  }
  return lister_of(urls);
}

}  // namespace meterline::cli
