#include "delegate/format/weight_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sbnn {
namespace {

constexpr char kMagic[8] = {'S', 'B', 'N', 'N', 'p', 'a', 'c', 'k'};
constexpr uint32_t kVersion = 4;
constexpr uint64_t kAlignment = 64;

uint64_t Align(uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

Status SystemError(const std::string& what) {
  return Status::Error(what + ": " + std::strerror(errno));
}

// Closes when it goes.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  const int descriptor_;
};

bool WriteAll(int file, const void* data, size_t bytes) {
  const char* p = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = write(file, p, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    p += written;
    bytes -= static_cast<size_t>(written);
  }
  return true;
}

Hash HashOf(const void* data, size_t bytes) {
  Hasher hasher;
  hasher.Add(data, bytes);
  return hasher.hash();
}

// A file beside `path` that is not there yet.
int CreateBeside(const std::string& path, std::string* name) {
  for (int i = 0; i < 100; ++i) {
    *name = path + "." + std::to_string(getpid()) + "-" + std::to_string(i) + ".tmp";
    const int file = open(name->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0 || errno != EEXIST) return file;
  }
  return -1;
}

}  // namespace

struct WeightFile::Header {
  char magic[8];
  uint32_t version;
  uint32_t entries;
  uint64_t file_bytes;
  Hash hash;  // of the header with this field zero, and of the table
};

struct WeightFile::TableEntry {
  Hash key;
  std::array<int32_t, 7> shape;
  FiledKind kind;
  uint64_t offset;
  uint64_t bytes;
  Hash hash;  // of the matrix
};

WeightFile::~WeightFile() { munmap(const_cast<char*>(data_), bytes_); }

Status WeightFile::Open(const std::string& path, std::shared_ptr<const WeightFile>* file) {
  const File opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (opened.get() < 0) return SystemError(path);
  struct stat info;
  if (fstat(opened.get(), &info) != 0) return SystemError(path);
  if (!S_ISREG(info.st_mode)) return Status::Error(path + ": not a file");
  const size_t bytes = static_cast<size_t>(info.st_size);
  if (bytes < sizeof(Header)) return Status::Error(path + ": too short");
  void* const data = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, opened.get(), 0);
  if (data == MAP_FAILED) return SystemError(path);
  std::shared_ptr<const WeightFile> mapped(new WeightFile(static_cast<const char*>(data), bytes));
  const Status status = mapped->Check();
  if (!status.ok()) return Status::Error(path + ": " + status.message());
  *file = std::move(mapped);
  return Status();
}

Status WeightFile::Check() const {
  Header header;
  std::memcpy(&header, data_, sizeof(header));
  if (std::memcmp(header.magic, kMagic, sizeof(kMagic)) != 0) {
    return Status::Error("not a file of packed weights");
  }
  if (header.version != kVersion) return Status::Error("of another version");
  const uint64_t table = uint64_t{header.entries} * sizeof(TableEntry);
  if (header.file_bytes != bytes_ || table > bytes_ - sizeof(header)) {
    return Status::Error("cut short");
  }
  const Hash stored = header.hash;
  header.hash = Hash();
  Hasher hasher;
  hasher.Add(&header, sizeof(header));
  hasher.Add(data_ + sizeof(header), table);
  return hasher.hash() == stored ? Status() : Status::Error("damaged");
}

const WeightFile::TableEntry* WeightFile::Entry(const Hash& key) const {
  const auto* const header = reinterpret_cast<const Header*>(data_);
  const auto* const table = reinterpret_cast<const TableEntry*>(data_ + sizeof(Header));
  const auto* const found = std::find_if(table, table + header->entries,
                                         [&](const TableEntry& e) { return e.key == key; });
  return found == table + header->entries ? nullptr : found;
}

bool WeightFile::Find(const std::shared_ptr<const WeightFile>& file, const Hash& key,
                      FiledWeights* weights) {
  const TableEntry* const entry = file->Entry(key);
  if (entry == nullptr || entry->offset % kAlignment != 0 || entry->offset > file->bytes_ ||
      entry->bytes > file->bytes_ - entry->offset) {
    return false;
  }
  const char* const data = file->data_ + entry->offset;
  if (HashOf(data, entry->bytes) != entry->hash) return false;
  // (The pointer keeps the file mapped.)
  *weights = {entry->kind, entry->shape, std::shared_ptr<const void>(file, data), entry->bytes};
  return true;
}

Status WriteWeightFile(const std::string& path,
                       const std::vector<std::pair<Hash, FiledWeights>>& weights) {
  WeightFile::Header header{};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.version = kVersion;
  header.entries = static_cast<uint32_t>(weights.size());
  std::vector<WeightFile::TableEntry> table(weights.size());
  const size_t table_bytes = table.size() * sizeof(table[0]);
  uint64_t end = sizeof(header) + table_bytes;
  for (size_t i = 0; i < weights.size(); ++i) {
    const FiledWeights& w = weights[i].second;
    WeightFile::TableEntry& entry = table[i];
    entry.key = weights[i].first;
    entry.shape = w.shape;
    entry.kind = w.kind;
    entry.offset = Align(end);
    entry.bytes = w.bytes;
    entry.hash = HashOf(w.memory.get(), w.bytes);
    end = entry.offset + w.bytes;
  }
  header.file_bytes = end;
  Hasher hasher;
  hasher.Add(&header, sizeof(header));
  hasher.Add(table.data(), table_bytes);
  header.hash = hasher.hash();

  std::string name;
  const File file(CreateBeside(path, &name));
  if (file.get() < 0) return SystemError(name);
  bool good = WriteAll(file.get(), &header, sizeof(header)) &&
              WriteAll(file.get(), table.data(), table_bytes);
  uint64_t at = sizeof(header) + table_bytes;
  for (size_t i = 0; good && i < weights.size(); ++i) {
    const char padding[kAlignment] = {};
    const size_t bytes = weights[i].second.bytes;
    good = WriteAll(file.get(), padding, table[i].offset - at) &&
           WriteAll(file.get(), weights[i].second.memory.get(), bytes);
    at = table[i].offset + bytes;
  }
  // On disk before the name is: after a crash the name must not lead to half a file.
  good = good && fsync(file.get()) == 0 && rename(name.c_str(), path.c_str()) == 0;
  if (good) return Status();
  const Status status = SystemError(path);
  unlink(name.c_str());
  return status;
}

}  // namespace sbnn
