#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ingest/content_hash.h"
#include "ingest/file_reader.h"
#include "ingest/ingest.h"
#include "ingest/row_sorter.h"
#include "store/store.h"

namespace meterline::ingest {

/// How far one file has come before its group is stored.
enum class Progress {
  read,     ///< Its good rows are in the sorters.
  refused,  ///< It is at fault as a whole; the report has the reason.
  done,     ///< Nothing is to be stored: skipped, failed, without a unit, or an archive; the report
            ///< says which.
};

/// Reads one file of a group that is loaded together.
class FileLoad {
 public:
  /// All must outlive it; `number` is the file's in the group.
  FileLoad(const source::Incoming& incoming, std::uint16_t number, store::Store& store,
           const IngestOptions& options, const IngestHooks& hooks);

  /// Never fails: what goes wrong is in the record.
  Progress read(const GroupRows& rows);

  FileContent& content() { return content_; }
  store::DeliveryRecord& record() { return record_; }
  /// Whether it was refused for want of a unit.
  bool lacks_unit() const { return content_.lacks_unit; }
  /// Tells in the report that the store's unit is another than that of the load.
  void note_other_unit(Unit of_store);
  /// What became of it, if it is an archive. Its own record then says nothing.
  const std::optional<ArchiveReport>& archive() const { return archive_; }
  /// Takes over what was counted and found, once repeats are known.
  void take_report();
  void fail_with(const std::string& reason);

 private:
  Result<Progress> try_read(const GroupRows& rows);
  Result<bool> is_stored_already();
  Result<bool> is_withdrawn();
  bool is_repeatable(const store::DeliveryRecord& latest) const;
  bool is_read_alike(const Delivery& delivery) const;
  Result<bool> is_same_file(const Delivery& delivery);
  Result<ContentHash> hash_of_file();
  Result<bool> is_repeated();
  Result<bool> is_known(const DeliveryId& id);
  void skip(store::DeliveryRecord earlier);
  void take_origin(source::Origin origin);
  Result<void> read_file(const GroupRows& rows);
  Result<void> read_content(source::ByteSource& received_bytes, const GroupRows& rows);
  Result<std::unique_ptr<source::ByteSource>> expand(std::unique_ptr<source::ByteSource> packed);
  Result<void> take_archive(std::string head, source::ByteSource& rest);
  Result<void> take_archive_again();
  void finish_archive(const Result<void>& read);
  void refuse(const std::string& reason);
  bool refuse_as_no_standard();
  bool may_be_endless() const;
  Progress refuse_unkept(const std::string& reason);
  void date(Delivery& delivery);
  void note_later(const Delivery& latest);
  Result<void> identify(source::ByteSource& received_bytes);

  const source::Incoming& incoming_;
  const std::uint16_t number_;
  store::Store& store_;
  const IngestOptions& options_;
  const IngestHooks& hooks_;
  store::DeliveryRecord record_;
  FileContent content_;
  std::optional<ArchiveReport> archive_;
  Received received_;
  std::optional<ContentHash> file_hash_;  ///< Of a file that was read only to be compared.
  std::optional<Instant> received_at_;
};

}  // namespace meterline::ingest
