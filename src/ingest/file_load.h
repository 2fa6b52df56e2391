#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "ingest/content_hash.h"
#include "ingest/file_reader.h"
#include "ingest/ingest.h"
#include "ingest/row_sorter.h"
#include "source/expand.h"
#include "store/store.h"

namespace meterline::ingest {

/// How far one file has come before its group is stored.
enum class Progress {
  read,     ///< Its good rows are in the sorters.
  refused,  ///< It is at fault as a whole; the report has the reason.
  done,     ///< Nothing is to be stored: skipped, failed, without a unit, or an archive; the report
            ///< says which.
};

/// What loads of one group have in common; all must outlive them.
struct LoadContext {
  store::Store& store;
  const IngestOptions& options;
  const IngestHooks& hooks;
};

/// A file as it was received, from its start on. Of a zip the files are read one after the other.
struct OpenFile {
  Received received;
  std::unique_ptr<source::ByteSource> bytes;  ///< Notes in `received`.
  source::Content content;                    ///< Of `bytes`.
  std::set<std::string> names;                ///< Of the files in a zip that has several.
  std::optional<Error> broken;                ///< Why the files behind the last one are not read.
};

/// Reads one file of a group that is loaded together.
class FileLoad {
 public:
  /// `number` is the file's in the group.
  FileLoad(source::Incoming incoming, std::uint16_t number, const LoadContext& context);

  /// Never fails: what goes wrong is in the record.
  Progress read(const GroupRows& rows);
  /// The same, of the file that take_rest() of the load before has come to.
  Progress read_next(std::unique_ptr<OpenFile> open, const GroupRows& rows);
  /// Where this is a file in a zip, and it was not the last: the zip, for a load of the same
  /// Incoming. Null otherwise. Call once.
  std::unique_ptr<OpenFile> take_rest();

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
  Result<void> open();
  Result<Progress> read_opened(const GroupRows& rows);
  Result<Progress> tell_broken();
  Progress progress_of(const Result<Progress>& progress);
  Result<void> read_content(source::ByteSource& content, const GroupRows& rows);
  Result<void> read_in_zip(const GroupRows& rows);
  void become_file_in_zip(const std::string& name);
  Result<source::Content> expand(std::unique_ptr<source::ByteSource> packed) const;
  Result<void> take_archive(std::string head, source::ByteSource& rest);
  Result<void> take_archive_again();
  void finish_archive(const Result<void>& read);
  void refuse(const std::string& reason);
  bool refuse_as_no_standard();
  bool may_be_endless() const;
  Progress refuse_unkept(const std::string& reason);
  void date(Delivery& delivery);
  void note_later(const Delivery& latest);
  Result<void> identify();

  source::Incoming incoming_;
  const std::uint16_t number_;
  store::Store& store_;
  const IngestOptions& options_;
  const IngestHooks& hooks_;
  std::unique_ptr<OpenFile> file_;
  bool is_in_zip_ = false;  ///< Beside others.
  bool has_rest_ = false;
  store::DeliveryRecord record_;
  FileContent content_;
  std::optional<ArchiveReport> archive_;
  Received in_zip_;                       ///< Of a file in a zip.
  std::optional<ContentHash> file_hash_;  ///< Of a file that was read only to be compared.
  std::optional<Instant> received_at_;
};

}  // namespace meterline::ingest
