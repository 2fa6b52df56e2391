#pragma once

#include <span>
#include <string_view>

namespace meterline::api {

/// A file of the page in `web/`, as cmake/Web.cmake put it into the program.
struct PageFile {
  std::string_view name;  ///< `page-4F5DQ2ZK.js`: of other content, another. Of the page: empty.
  std::string_view content_type;
  std::string_view etag;    ///< Strong and quoted; of `packed`.
  std::string_view packed;  ///< gzip.
};

/// Empty in a program that was built without the page (-DMETERLINE_WEB=OFF).
std::span<const PageFile> page_files();

/// The reference of the API likewise.
std::span<const PageFile> docs_files();

}  // namespace meterline::api
