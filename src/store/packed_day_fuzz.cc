// Any bytes at all, as a packed day: they are refused, or are a day that is packed and read again,
// and whose total is that of its readings.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "store/packed_day.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meterline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadingDay scratch;
  const auto total = store::complete_total(bytes, scratch);
  ReadingDay day;
  if (!store::unpack_day(bytes, day)) return 0;
  std::string packed;
  const auto plain = store::pack_day(day, packed);
  ReadingDay again;
  if (!store::unpack_day(packed, again) || again != day) std::abort();
  if (!total || store::plain_total(day) != plain) std::abort();
  if (plain && (!*total || (*total)->mantissa != *plain)) std::abort();
  return 0;
}
