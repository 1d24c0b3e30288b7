// Reading a flatbuffer that nobody has checked: whatever it says, nothing outside of its bytes is
// read, and no more is made of it than it could honestly hold.
#ifndef SBNN_DELEGATE_FORMAT_FLATBUFFER_H_
#define SBNN_DELEGATE_FORMAT_FLATBUFFER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace sbnn {

// Bytes in memory, and the first thing that was found wrong with them. What lies outside reads as
// zero: whoever reads asks once, at the end, whether all was well.
class Flatbuffer {
 public:
  Flatbuffer(const uint8_t* data, size_t size) : data_(data), size_(size), budget_(Budget(size)) {}

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  bool damaged() const { return !damage_.empty(); }
  const std::string& damage() const { return damage_; }

  void Damage(const std::string& what) const {
    if (damage_.empty()) damage_ = what;
  }

  // Whether `bytes` from `at` on are there.
  bool Has(uint64_t at, uint64_t bytes) const {
    if (at <= size_ && bytes <= size_ - at) return true;
    Damage("something lies at byte " + std::to_string(at) + ", of " + std::to_string(size_));
    return false;
  }

  // (The host is little-endian, as flatbuffers are: TensorFlow Lite's files in memory need that.)
  template <typename T>
  T At(uint64_t at) const {
    T value{};
    if (Has(at, sizeof(T))) std::memcpy(&value, data_ + at, sizeof(T));
    return value;
  }

  // To be asked before something is copied out of it. A file of a few bytes may point at the same
  // ones over and over, and would else become gigabytes.
  bool Spend(uint64_t elements) const {
    if (elements > budget_) {
      Damage("the same parts are referred to over and over");
      budget_ = 0;
      return false;
    }
    budget_ -= elements;
    return true;
  }

 private:
  static uint64_t Budget(size_t size) { return 8 * uint64_t{size} + (1 << 16); }

  const uint8_t* const data_;
  const size_t size_;
  mutable std::string damage_;
  mutable uint64_t budget_;
};

class FlatTable;

// Elements in a row: numbers, or offsets of tables. Empty where there is none.
template <typename T>
class FlatVector {
 public:
  FlatVector() = default;
  FlatVector(const Flatbuffer* file, uint64_t at) : file_(file), at_(at + sizeof(uint32_t)) {
    const uint32_t count = file->At<uint32_t>(at);
    if (file->Has(at_, uint64_t{count} * sizeof(T)) && file->Spend(count)) count_ = count;
  }

  uint32_t size() const { return count_; }
  uint64_t at() const { return at_; }  // of the first
  // Of those that there are: all of them were found to be in the file.
  T operator[](uint32_t i) const {
    T value;
    std::memcpy(&value, file_->data() + at_ + uint64_t{i} * sizeof(T), sizeof(T));
    return value;
  }

 private:
  const Flatbuffer* file_ = nullptr;
  uint64_t at_ = 0;
  uint32_t count_ = 0;
};

class FlatTable {
 public:
  FlatTable() = default;  // that is not there: all of its fields are absent
  FlatTable(const Flatbuffer* file, uint64_t at) : file_(file), at_(at) {
    const int64_t vtable = static_cast<int64_t>(at) - file->At<int32_t>(at);
    if (vtable < 0 || !file->Has(static_cast<uint64_t>(vtable), 2 * sizeof(uint16_t))) {
      file->Damage("a table without fields");
      file_ = nullptr;
      return;
    }
    vtable_ = static_cast<uint64_t>(vtable);
    vtable_bytes_ = file->At<uint16_t>(vtable_);
  }

  explicit operator bool() const { return file_ != nullptr; }

  template <typename T>
  T Get(int field, T otherwise = T()) const {
    const uint64_t at = Field(field);
    return at == 0 ? otherwise : file_->At<T>(at);
  }
  FlatTable Child(int field) const {
    const uint64_t at = Target(field);
    return at == 0 ? FlatTable() : FlatTable(file_, at);
  }
  template <typename T>
  FlatVector<T> Vector(int field) const {
    const uint64_t at = Target(field);
    return at == 0 ? FlatVector<T>() : FlatVector<T>(file_, at);
  }
  // Of a vector of tables.
  FlatTable Child(const FlatVector<uint32_t>& row, uint32_t i) const {
    return FlatTable(file_, row.at() + uint64_t{i} * sizeof(uint32_t) + row[i]);
  }
  std::string Text(int field) const {
    const FlatVector<char> row = Vector<char>(field);
    return row.size() == 0
               ? std::string()
               : std::string(reinterpret_cast<const char*>(file_->data() + row.at()), row.size());
  }

 private:
  // Where a field's value lies; 0: it has none.
  uint64_t Field(int field) const {
    const uint64_t slot = (2 + static_cast<uint64_t>(field)) * sizeof(uint16_t);
    if (file_ == nullptr || slot + sizeof(uint16_t) > vtable_bytes_) return 0;
    const uint16_t offset = file_->At<uint16_t>(vtable_ + slot);
    return offset == 0 ? 0 : at_ + offset;
  }
  uint64_t Target(int field) const {
    const uint64_t at = Field(field);
    return at == 0 ? 0 : at + file_->At<uint32_t>(at);
  }

  const Flatbuffer* file_ = nullptr;
  uint64_t at_ = 0, vtable_ = 0;
  uint16_t vtable_bytes_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_FLATBUFFER_H_
