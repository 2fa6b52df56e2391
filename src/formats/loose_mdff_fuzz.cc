// Any bytes at all: the same is said however the file is cut, and no day is one that cannot be
// kept. The first byte of the input says in what pieces the file comes.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "testing/mdff_pieces.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view file(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto pieces = meterline::testing::loose_mdff_says(file, {data[0] + std::size_t{1}, 7});
  const auto whole = meterline::testing::loose_mdff_says(file, {file.size() + 1});
  if (pieces.text == whole.text && pieces.fault.empty()) return 0;
  std::fprintf(stderr, "%s\n--- pieces\n%s\n--- whole\n%s\n", pieces.fault.c_str(),
               pieces.text.c_str(), whole.text.c_str());
  std::abort();
}
