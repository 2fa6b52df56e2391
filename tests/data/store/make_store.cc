// make_store FOLDER: makes the store and the answers that stand in this folder.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "store/memory/memory_store.h"
#include "store/rocksdb/rocksdb_store.h"
#include "testing/must.h"
#include "testing/released_store.h"

namespace {

using namespace meterline;
using testing::must;

void make(const std::filesystem::path& folder) {
  const auto rocksdb = folder / "rocksdb";
  std::filesystem::remove_all(rocksdb);
  // One half is folded into months, the other one stays recent.
  auto store = must(store::open_rocksdb_store({.folder = rocksdb, .recent_bytes_max = 0}));
  must(testing::load_released(*store, testing::Half::odd));
  store.reset();
  store = must(store::open_rocksdb_store({.folder = rocksdb}));
  must(testing::load_released(*store, testing::Half::even));
  store.reset();
  // What tells of this process, and 56 KB of settings that nobody reads.
  std::filesystem::remove(rocksdb / "OWNER");
  for (const auto& file : std::filesystem::directory_iterator(rocksdb / "db"))
    if (file.path().filename().string().starts_with("OPTIONS")) std::filesystem::remove(file);

  const auto memory = store::make_memory_store();
  must(testing::load_released(*memory, testing::Half::odd));
  must(testing::load_released(*memory, testing::Half::even));
  std::ofstream(folder / "answers.txt") << testing::released_answers(*memory);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_store FOLDER\n";
    return 2;
  }
  try {
    make(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "make_store: " << error.what() << '\n';
    return 1;
  }
}
