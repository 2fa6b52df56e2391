// RocksDB, written naively: a key of meter and date as text, a value of 4 bytes a reading, LZ4.
// The commands are those of peer.py. It trusts its files.
#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "peers/ask.h"

namespace {

using bench::Key;

constexpr int rows_per_batch = 1000;
constexpr std::size_t date_chars = 10;

void must(const rocksdb::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

/// A file in memory, as long as the object lives.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about = {};
    if (file < 0 || fstat(file, &about) != 0) throw std::runtime_error("cannot open " + path);
    size_ = static_cast<std::size_t>(about.st_size);
    bytes_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (bytes_ == MAP_FAILED) throw std::runtime_error("cannot map " + path);
  }
  ~MappedFile() { munmap(bytes_, size_); }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view text() const { return {static_cast<const char*>(bytes_), size_}; }

 private:
  void* bytes_;
  std::size_t size_ = 0;
};

class RocksdbPeer {
 public:
  explicit RocksdbPeer(const bench::Options& options)
      : slots_(24 * 60 / static_cast<std::size_t>(options.minutes)),
        options_(options),
        readings_(slots_) {
    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.block_cache = rocksdb::NewLRUCache(std::size_t{1} << 30);
    table.block_size = 16 << 10;
    rocksdb::Options settings;
    settings.create_if_missing = options.command == "ingest" || options.command == "append";
    settings.compression = rocksdb::kLZ4Compression;
    settings.write_buffer_size = 128 << 20;
    settings.max_write_buffer_number = 3;
    settings.IncreaseParallelism(2);
    settings.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* opened = nullptr;
    must(rocksdb::DB::Open(settings, options.store, &opened));
    db_.reset(opened);
  }

  void ingest() {
    rocksdb::WriteOptions unlogged;
    unlogged.disableWAL = true;
    for (const auto& path : options_.paths) load(path, unlogged, rows_per_batch);
    must(db_->Flush(rocksdb::FlushOptions()));
    must(db_->Close());
  }

  void append() {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    for (const auto& path : options_.paths) load(path, synced, 1 << 30);
    must(db_->Close());
  }

  void compact() {
    must(db_->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr));
    must(db_->Close());
  }

  void ask() {
    const auto meters = all_meters();
    const auto day = [&](const Key& key) { return total_of(key.meter, key.from); };
    const auto year = [&](const Key& key) {
      std::vector<std::int64_t> series;
      each_day(key.meter, key, [&](std::string_view value) { series.push_back(total(value)); });
      std::int64_t sum = 0;
      for (const auto point : series) sum += point;
      return sum;
    };
    const auto portfolio = [&](const Key& key) {
      std::int64_t sum = 0;
      for (const auto& meter : meters) sum += total_of(meter, key.from);
      return sum;
    };
    const auto gaps = [&](const Key& key) { return meters_with_gaps(meters, key); };
    bench::ask_all(options_, {{"day", day},
                              {"year", year},
                              {"readings", day},
                              {"portfolio", portfolio},
                              {"gaps", gaps}});
  }

 private:
  void load(const std::string& path, const rocksdb::WriteOptions& how, int rows_max) {
    const MappedFile file(path);
    const char* at = std::strchr(file.text().data(), '\n') + 1;
    const char* const end = file.text().data() + file.text().size();
    rocksdb::WriteBatch batch;
    while (at < end) {
      at = add_row(at, batch);
      if (batch.Count() < static_cast<std::uint32_t>(rows_max)) continue;
      must(db_->Write(how, &batch));
      batch.Clear();
    }
    must(db_->Write(how, &batch));
  }

  const char* add_row(const char* at, rocksdb::WriteBatch& batch) {
    const char* const comma = std::strchr(at, ',');
    key_.assign(at, comma);
    key_.append(comma + 1, date_chars);
    at = comma + 1 + date_chars;
    for (auto& reading : readings_) {
      reading = 0;
      for (++at; *at != ',' && *at != '\n'; ++at)
        if (*at != '.') reading = reading * 10 + static_cast<std::uint32_t>(*at - '0');
    }
    batch.Put(key_, rocksdb::Slice(reinterpret_cast<const char*>(readings_.data()),
                                   slots_ * sizeof(std::uint32_t)));
    return at + 1;
  }

  std::int64_t total(std::string_view value) const {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < slots_; ++i) {
      std::uint32_t reading = 0;
      std::memcpy(&reading, value.data() + i * sizeof reading, sizeof reading);
      sum += reading;
    }
    return sum;
  }

  std::int64_t total_of(const std::string& meter, const std::string& date) {
    rocksdb::PinnableSlice value;
    const auto found =
        db_->Get(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), meter + date, &value);
    return found.ok() ? total({value.data(), value.size()}) : 0;
  }

  template <class Visit>
  void each_day(const std::string& meter, const Key& key, const Visit& visit) {
    const std::unique_ptr<rocksdb::Iterator> days(db_->NewIterator(rocksdb::ReadOptions()));
    const std::string end = meter + key.to;
    for (days->Seek(meter + key.from); days->Valid() && days->key().compare(end) < 0; days->Next())
      visit(std::string_view(days->value().data(), days->value().size()));
  }

  std::vector<std::string> all_meters() {
    std::vector<std::string> meters;
    const std::unique_ptr<rocksdb::Iterator> days(db_->NewIterator(rocksdb::ReadOptions()));
    for (days->SeekToFirst(); days->Valid(); days->Seek(meters.back() + "9")) {
      const std::string key = days->key().ToString();
      meters.push_back(key.substr(0, key.size() - date_chars));
    }
    return meters;
  }

  std::int64_t meters_with_gaps(const std::vector<std::string>& meters, const Key& key) {
    const std::unique_ptr<rocksdb::Iterator> days(db_->NewIterator(rocksdb::ReadOptions()));
    const auto wanted = bench::days_between(key.from, key.to);
    return std::count_if(meters.begin(), meters.end(), [&](const std::string& meter) {
      const std::string end = meter + key.to;
      std::int64_t count = 0;
      for (days->Seek(meter + key.from); days->Valid() && days->key().compare(end) < 0;
           days->Next())
        ++count;
      return count < wanted;
    });
  }

  std::unique_ptr<rocksdb::DB> db_;
  std::size_t slots_;  ///< Of a day.
  bench::Options options_;
  std::vector<std::uint32_t> readings_;
  std::string key_;
};

void run(const bench::Options& options) {
  RocksdbPeer peer(options);
  if (options.command == "ingest") return peer.ingest();
  if (options.command == "append") return peer.append();
  if (options.command == "compact") return peer.compact();
  if (options.command == "ask") return peer.ask();
  throw std::invalid_argument("unknown command " + options.command);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(bench::parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "rocksdb_peer: " << error.what() << '\n';
    return 1;
  }
}
