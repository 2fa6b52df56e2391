#include "http/outflow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <semaphore>
#include <string>
#include <thread>

namespace meterline::http {
namespace {

/// Takes all that is put, as a session does.
struct Taker {
  std::binary_semaphore has_piece{0};
  Outflow outflow{[this] { has_piece.release(); }};
  std::string taken;
  std::size_t longest = 0;

  Outflow::Piece take_all() {
    for (;;) {
      auto piece = outflow.take();
      if (!piece) {
        has_piece.acquire();
        continue;
      }
      taken += piece->bytes;
      longest = std::max(longest, piece->bytes.size());
      if (piece->is_last) return *std::move(piece);
    }
  }
};

TEST(Outflow, HandsOverAllThatIsPutInTurn) {
  Taker taker;
  std::string all;
  for (int i = 0; i < 50'000; ++i) all += std::to_string(i) + '\n';
  std::thread maker([&] {
    for (std::size_t at = 0; at < all.size(); at += 777)
      EXPECT_TRUE(taker.outflow.put(std::string_view(all).substr(at, 777)));
    taker.outflow.end({});
  });
  const auto last = taker.take_all();
  maker.join();
  EXPECT_FALSE(last.failure.has_value());
  EXPECT_EQ(taker.taken, all);
  EXPECT_LT(taker.longest, outflow_piece_bytes + 777);
}

TEST(Outflow, SaysWhyItEndsEarly) {
  Taker taker;
  std::thread maker([&] {
    EXPECT_TRUE(taker.outflow.put("begun"));
    taker.outflow.end(fail(Errc::unavailable, "no node answers"));
  });
  const auto last = taker.take_all();
  maker.join();
  EXPECT_EQ(taker.taken, "begun");
  ASSERT_TRUE(last.failure.has_value());
  EXPECT_EQ(last.failure->message, "no node answers");
}

TEST(Outflow, StopsItsMakerWhoWaits) {
  Taker taker;
  auto made = std::async(std::launch::async, [&] {
    const std::string piece(outflow_piece_bytes, 'x');
    Result<void> result;
    while (result) result = taker.outflow.put(piece);
    return result.error().code;
  });
  taker.outflow.close();
  EXPECT_EQ(made.get(), Errc::cancelled);
  taker.outflow.end({});
}

}  // namespace
}  // namespace meterline::http
