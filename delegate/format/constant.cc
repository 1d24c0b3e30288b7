#include "delegate/format/constant.h"

#include <cstring>
#include <string>

#include "delegate/format/float16.h"

namespace sbnn {
namespace {

// Dimensions of a tensor that anyone would run; it also keeps products far from overflow.
constexpr int kMaxRank = 8;
constexpr uint64_t kMaxElements = uint64_t{1} << 31;

Status Elements(const std::vector<int>& shape, uint64_t* elements) {
  *elements = 1;
  for (int d : shape) {
    if (d <= 0) return Status::Error("dimension " + std::to_string(d) + " is not positive");
    *elements *= static_cast<uint64_t>(d);
    if (*elements > kMaxElements) return Status::Error("more than 2^31 elements");
  }
  return Status();
}

// What each level spans, and the block sizes; fails where levels and shape do not fit together.
Status LevelSizes(const Constant& c, std::vector<int>* block_size, std::vector<int>* level_size) {
  const int rank = static_cast<int>(c.shape.size());
  const int blocks = static_cast<int>(c.block_map.size());
  if (static_cast<int>(c.traversal.size()) != rank + blocks ||
      static_cast<int>(c.levels.size()) != rank + blocks) {
    return Status::Error(
        "expected " + std::to_string(rank + blocks) + " traversal entries and levels, found " +
        std::to_string(c.traversal.size()) + " and " + std::to_string(c.levels.size()));
  }
  std::vector<bool> seen(rank + blocks, false);
  for (int i = 0; i < rank + blocks; ++i) {
    const int d = c.traversal[i];
    // Block dimensions follow the tensor's own.
    const bool in_range = i < rank ? (d >= 0 && d < rank) : (d >= rank && d < rank + blocks);
    if (!in_range || seen[d]) return Status::Error("the traversal order is not a permutation");
    seen[d] = true;
  }
  block_size->assign(rank, 1);
  level_size->assign(rank + blocks, 0);
  std::vector<bool> blocked(rank, false);
  for (int i = rank; i < rank + blocks; ++i) {
    const int d = c.block_map[c.traversal[i] - rank];
    if (d < 0 || d >= rank)
      return Status::Error("the block map names a dimension that is not there");
    if (blocked[d]) return Status::Error("a dimension is blocked twice");
    blocked[d] = true;
    if (c.levels[i].csr) return Status::Error("a block level is not dense");
    const int size = c.levels[i].dense_size;
    if (size <= 0 || c.shape[d] % size != 0) {
      return Status::Error("a block of " + std::to_string(size) + " does not divide dimension " +
                           std::to_string(c.shape[d]));
    }
    (*block_size)[d] = size;
    (*level_size)[i] = size;
  }
  for (int i = 0; i < rank; ++i) {
    const int d = c.traversal[i];
    (*level_size)[i] = c.shape[d] / (*block_size)[d];
    if (!c.levels[i].csr && c.levels[i].dense_size != (*level_size)[i]) {
      return Status::Error("a dense level of " + std::to_string(c.levels[i].dense_size) +
                           " stands where the shape gives " + std::to_string((*level_size)[i]));
    }
  }
  return Status();
}

// Wherever it is aligned.
template <typename T>
T ReadAs(const void* p) {
  T value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

struct Walker {
  const Constant& c;
  const std::function<void(const int*, float)>& fn;
  int rank;
  int block_size[kMaxRank];
  int expanded[2 * kMaxRank];
  int coordinates[kMaxRank];

  void Walk(size_t level, size_t position) {
    if (level == c.levels.size()) {
      const float value = c.Value(position);
      if (value == 0.0f) return;
      for (int d = 0; d < rank; ++d) coordinates[d] = expanded[d] * block_size[d];
      for (size_t b = 0; b < c.block_map.size(); ++b) {
        coordinates[c.block_map[b]] += expanded[rank + b];
      }
      fn(coordinates, value);
      return;
    }
    const SparseLevel& l = c.levels[level];
    int& index = expanded[c.traversal[level]];
    if (l.csr) {
      for (int32_t i = l.segments[position]; i < l.segments[position + 1]; ++i) {
        index = l.indices[i];
        Walk(level + 1, i);
      }
    } else {
      for (int i = 0; i < l.dense_size; ++i) {
        index = i;
        Walk(level + 1, position * l.dense_size + i);
      }
    }
  }
};

}  // namespace

float Constant::Value(size_t i) const {
  const void* const value = static_cast<const char*>(values) + i * BytesOf(type);
  switch (type) {
    case ElementType::kFloat32:
      return ReadAs<float>(value);
    case ElementType::kFloat16:
      return Float16ToFloat(ReadAs<uint16_t>(value));
    case ElementType::kInt8:
      return ReadAs<int8_t>(value);
    case ElementType::kUint8:
      return ReadAs<uint8_t>(value);
    default:
      return static_cast<float>(ReadAs<int32_t>(value));
  }
}

Status Validate(const Constant& c) {
  if (c.shape.empty() || c.shape.size() > kMaxRank) {
    return Status::Error("expected 1 to 8 dimensions, found " + std::to_string(c.shape.size()));
  }
  uint64_t elements;
  Status status = Elements(c.shape, &elements);
  if (!status.ok()) return status;
  if (c.values == nullptr) return Status::Error("the constant has no data");
  if (c.quantization.quantized()) {
    status = Validate(c.quantization, c.type, c.shape);
    if (!status.ok()) return status;
  }
  if (!c.sparse()) {
    if (c.value_count != elements) {
      return Status::Error("expected " + std::to_string(elements) + " values, found " +
                           std::to_string(c.value_count));
    }
    return Status();
  }
  std::vector<int> block_size, level_size;
  status = LevelSizes(c, &block_size, &level_size);
  if (!status.ok()) return status;

  uint64_t positions = 1;  // entries of the level above
  for (size_t i = 0; i < c.levels.size(); ++i) {
    const SparseLevel& l = c.levels[i];
    if (!l.csr) {
      positions *= static_cast<uint64_t>(l.dense_size);
      // The entries of a valid tensor are at most its elements.
      if (positions > elements) return Status::Error("more stored entries than elements");
      continue;
    }
    if (l.segments == nullptr || l.segment_count != positions + 1) {
      return Status::Error("expected " + std::to_string(positions + 1) + " segments, found " +
                           std::to_string(l.segment_count));
    }
    if (l.segments[0] != 0) return Status::Error("the first segment does not begin at 0");
    for (size_t s = 0; s < positions; ++s) {
      if (l.segments[s + 1] < l.segments[s]) return Status::Error("segments decrease");
    }
    const size_t entries = static_cast<size_t>(l.segments[positions]);
    if (entries != l.index_count || (entries > 0 && l.indices == nullptr)) {
      return Status::Error("segments end at " + std::to_string(entries) + " but there are " +
                           std::to_string(l.index_count) + " indices");
    }
    const int32_t size = level_size[i];
    for (size_t s = 0; s < positions; ++s) {
      int32_t before = -1;
      for (int32_t k = l.segments[s]; k < l.segments[s + 1]; ++k) {
        const int32_t index = l.indices[k];
        if (index <= before || index >= size) {
          const bool inside = index >= 0 && index < size;
          return Status::Error(inside ? "the indices of a segment do not increase"
                                      : "index " + std::to_string(index) + " is outside [0, " +
                                            std::to_string(size) + ")");
        }
        before = index;
      }
    }
    positions = entries;
  }
  if (positions != c.value_count) {
    return Status::Error("the encoding names " + std::to_string(positions) +
                         " values but there are " + std::to_string(c.value_count));
  }
  return Status();
}

void ForEachStored(const Constant& c, const std::function<void(const int*, float)>& fn) {
  const int rank = static_cast<int>(c.shape.size());
  if (c.sparse()) {
    Walker walker{c, fn, rank, {}, {}, {}};
    for (int d = 0; d < rank; ++d) walker.block_size[d] = 1;
    for (size_t i = rank; i < c.levels.size(); ++i) {
      walker.block_size[c.block_map[c.traversal[i] - rank]] = c.levels[i].dense_size;
    }
    walker.Walk(0, 0);
    return;
  }
  int coordinates[kMaxRank] = {};
  for (size_t i = 0; i < c.value_count; ++i) {
    fn(coordinates, c.Value(i));
    for (int d = rank - 1; d >= 0 && ++coordinates[d] == c.shape[d]; --d) coordinates[d] = 0;
  }
}

}  // namespace sbnn
