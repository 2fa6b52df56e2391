#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/delivery.h"
#include "core/finding.h"
#include "core/instant.h"
#include "formats/day_sink.h"
#include "ingest/row_record.h"

namespace meterline::ingest {

/// Keeps the findings with the lowest lines, up to a number, and counts all.
class FindingKeeper {
 public:
  explicit FindingKeeper(std::size_t max) : max_(max) {}

  void add(Finding finding);
  /// Counts findings without keeping them.
  void count(FindingCode code, std::int64_t more);
  /// Takes in another's findings, their lines moved down by `lines`.
  void add(FindingKeeper&& other, std::int64_t lines);

  const FindingCounts& counts() const { return counts_; }
  std::vector<Finding> take();  ///< Ascending by (line, column).

 private:
  void keep(Finding finding);

  std::size_t max_;
  FindingCounts counts_{};
  std::vector<Finding> heap_;  ///< The highest (line, column) on top.
};

/// A rejected row, or one that lost readings, to be written down for the user.
struct RejectedText {
  std::int64_t line;
  std::string reasons;
  std::string text;
};

/// What a parser said of one piece of a file. Lines count from the start of the piece.
struct RowBatch {
  explicit RowBatch(std::size_t findings_max) : findings(findings_max) {}

  PackedRows good;   ///< Days, in file order.
  PackedRows reads;  ///< Of registers, in file order: put_read().
  RowCounts rows;    ///< `stored` counts all good rows; repeats are found later.
  ReadingCounts readings;
  RowCounts register_reads;  ///< Of the rows.
  FindingKeeper findings;
  std::vector<RejectedText> rejected;
  std::int64_t lines = 0;
};

/// Collects what a parser says into a batch.
class BatchSink final : public formats::DaySink {
 public:
  enum class Rejects { keep, drop };
  /// No day states a time later than the file's receipt: it would win over all that is stated until
  /// then.
  BatchSink(RowBatch& batch, ChannelTable& channels, std::uint16_t file, Rejects rejects,
            Instant received)
      : batch_(batch), channels_(channels), file_(file), rejects_(rejects), received_(received) {}

  void on_day(const ReadingDay& day, int rejected_readings, const formats::Row& row) override;
  void on_read(const RegisterRead& read, const formats::Row& row) override;
  void on_rejected_row(const formats::Row& row) override;
  void on_finding(Finding finding) override;

 private:
  void take_channel(const Channel& channel);
  void keep(const ReadingDay& day, int rejected_readings, const formats::Row& row);
  int rescale(const ReadingDay& day, std::int64_t line);
  ReadingDay capped(const ReadingDay& day, const formats::Row& row);
  void tell_future(Instant stated, const formats::Row& row);
  void note_rejected(const formats::Row& row);
  void forget_reasons();

  RowBatch& batch_;
  ChannelTable& channels_;
  const std::uint16_t file_;
  const Rejects rejects_;
  const Instant received_;
  Channel channel_;                   ///< As the file names it.
  int kept_exponent_ = 0;             ///< Of kept_unit(): what its readings are multiplied with.
  ReadingDay kept_;                   ///< A day of it in that unit.
  std::uint16_t channel_number_ = 0;  ///< Of the channel in that unit.
  bool has_channel_ = false;
  std::string reasons_;  ///< Of the row that comes next.
  int reasons_count_ = 0;
};

}  // namespace meterline::ingest
