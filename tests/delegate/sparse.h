// Writes the sparse encoding that delegate/format reads, from its definition: level by level, the
// list of coordinate prefixes that are stored.
#ifndef SBNN_TESTS_DELEGATE_SPARSE_H_
#define SBNN_TESTS_DELEGATE_SPARSE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <vector>

#include "delegate/format/constant.h"
#include "tests/delegate/guarded.h"

namespace sbnn {

// How to encode. dimension d is split in blocks of block_size[k] where block_map[k] == d.
struct SparseFormat {
  std::vector<int> traversal;
  std::vector<int> block_map;
  std::vector<int> block_size;
  std::vector<bool> csr;  // of each level that is no block
};

// A constant with its memory, every array ending at an unmapped page.
class OwnedConstant {
 public:
  Constant constant;

  const int32_t* Keep(const std::vector<int32_t>& v) { return ints_.emplace_back(v).data(); }
  const float* Keep(const std::vector<float>& v) { return floats_.emplace_back(v).data(); }
  const uint16_t* Keep(const std::vector<uint16_t>& v) { return float16s_.emplace_back(v).data(); }

 private:
  std::deque<Guarded<int32_t>> ints_;
  std::deque<Guarded<float>> floats_;
  std::deque<Guarded<uint16_t>> float16s_;
};

inline void EncodeDense(const std::vector<float>& dense, const std::vector<int>& shape,
                        OwnedConstant* out) {
  out->constant = Constant();
  out->constant.shape = shape;
  out->constant.values = out->Keep(dense);
  out->constant.value_count = dense.size();
}

// `extra(element)`: whether a zero is stored nevertheless.
inline void EncodeSparse(
    const std::vector<float>& dense, const std::vector<int>& shape, const SparseFormat& format,
    OwnedConstant* out, const std::function<bool(size_t)>& extra = [](size_t) { return false; }) {
  const int rank = static_cast<int>(shape.size());
  const int levels = rank + static_cast<int>(format.block_map.size());
  std::vector<int> block(rank, 1), size(levels);
  for (size_t k = 0; k < format.block_map.size(); ++k) {
    block[format.block_map[k]] = format.block_size[k];
  }
  for (int i = 0; i < levels; ++i) {
    const int d = format.traversal[i];
    size[i] = d < rank ? shape[d] / block[d] : format.block_size[d - rank];
  }
  // The coordinates of every element in the order of the levels.
  const auto path = [&](size_t element) {
    std::vector<int> at(rank), p(levels);
    for (int d = rank - 1; d >= 0; --d) {
      at[d] = static_cast<int>(element % shape[d]);
      element /= shape[d];
    }
    for (int i = 0; i < levels; ++i) {
      const int d = format.traversal[i];
      p[i] = d < rank ? at[d] / block[d]
                      : at[format.block_map[d - rank]] % block[format.block_map[d - rank]];
    }
    return p;
  };
  std::set<std::vector<int>> stored;  // with all their prefixes
  std::vector<std::pair<std::vector<int>, float>> elements;
  for (size_t e = 0; e < dense.size(); ++e) {
    std::vector<int> p = path(e);
    elements.push_back({p, dense[e]});
    if (dense[e] == 0.0f && !extra(e)) continue;
    for (; !p.empty(); p.pop_back()) stored.insert(p);
  }
  std::sort(elements.begin(), elements.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });

  Constant& c = out->constant;
  c = Constant();
  c.shape = shape;
  c.traversal = format.traversal;
  c.block_map = format.block_map;
  std::vector<std::vector<int>> prefixes = {{}};
  for (int i = 0; i < levels; ++i) {
    SparseLevel level;
    level.csr = i < rank && format.csr[i];
    std::vector<int32_t> segments = {0}, indices;
    std::vector<std::vector<int>> next;
    for (const std::vector<int>& prefix : prefixes) {
      for (int j = 0; j < size[i]; ++j) {
        std::vector<int> longer = prefix;
        longer.push_back(j);
        if (level.csr && stored.count(longer) == 0) continue;
        indices.push_back(j);
        next.push_back(std::move(longer));
      }
      segments.push_back(static_cast<int32_t>(indices.size()));
    }
    if (level.csr) {
      level.segments = out->Keep(segments);
      level.segment_count = segments.size();
      level.indices = out->Keep(indices);
      level.index_count = indices.size();
    } else {
      level.dense_size = size[i];
    }
    c.levels.push_back(level);
    prefixes = std::move(next);
  }
  std::vector<float> values;
  for (const std::vector<int>& p : prefixes) {
    const auto found = std::lower_bound(
        elements.begin(), elements.end(), p,
        [](const auto& element, const std::vector<int>& q) { return element.first < q; });
    values.push_back(found->second);
  }
  c.values = out->Keep(values);
  c.value_count = values.size();
}

// What the converter writes: groups of `group` outputs share their inputs; group 1 has no block.
inline SparseFormat GroupFormat(int rank, int group) {
  SparseFormat f;
  for (int d = 0; d < rank; ++d) {
    f.traversal.push_back(d);
    f.csr.push_back(d == rank - 1);
  }
  if (group > 1) {
    f.traversal.push_back(rank);
    f.block_map = {0};
    f.block_size = {group};
  }
  return f;
}

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_SPARSE_H_
