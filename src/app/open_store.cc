#include "app/open_store.h"

#include <fmt/core.h>

#include <string_view>

#include "core/finding.h"
#include "store/rocksdb/rocksdb_store.h"

namespace meterline::app {

Result<std::unique_ptr<store::Store>> open_store(const std::string& url, cli::OpenMode mode,
                                                 const std::string& owner) {
  constexpr std::string_view rocksdb = "rocksdb:";
  if (url.starts_with(rocksdb) && url.size() > rocksdb.size())
    return store::open_rocksdb_store({.folder = url.substr(rocksdb.size()),
                                      .create = mode == cli::OpenMode::create,
                                      .owner = owner});
  return fail(Errc::invalid_argument,
              fmt::format("--store: want rocksdb:DIR, like rocksdb:./meterline-data, got \"{}\"",
                          excerpt_of(url)));
}

}  // namespace meterline::app
