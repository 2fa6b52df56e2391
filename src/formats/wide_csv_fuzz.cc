// Any bytes at all: the fast parser and the naive one must say the same. The first byte of the
// input says in what pieces the fast one gets the rest.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "testing/wide_csv_twins.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view file(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto fast = meterline::testing::fast_says(file, {data[0] + std::size_t{1}, 7});
  const auto naive = meterline::testing::naive_says(file);
  if (fast == naive) return 0;
  std::fprintf(stderr, "--- fast\n%s\n--- naive\n%s\n", fast.c_str(), naive.c_str());
  std::abort();
}
