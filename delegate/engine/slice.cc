#include "delegate/engine/slice.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace sbnn {
namespace {

// A position that may count from the end, kept inside [low, high].
int Position(int given, int size, int low, int high) {
  const int64_t at = given < 0 ? int64_t{given} + size : given;
  return static_cast<int>(std::min<int64_t>(high, std::max<int64_t>(low, at)));
}

}  // namespace

Status Place(const Slice& slice, const Shape& shape, PlacedSlice* placed) {
  const size_t given = slice.begin.size();
  if (given > shape.size() || slice.end.size() != given || slice.stride.size() != given) {
    return Status::Error("a slice of " + std::to_string(given) + " dimensions of a tensor of " +
                         std::to_string(shape.size()));
  }
  *placed = PlacedSlice();
  for (size_t d = 0; d < shape.size(); ++d) {
    const int size = shape[d];
    const auto masked = [&](int mask) { return d >= given || (mask >> d & 1) != 0; };
    const int stride = d < given ? slice.stride[d] : 1;
    if (stride == 0) return Status::Error("a slice with a stride of 0");
    if (d < given && (slice.shrink_mask >> d & 1) != 0) {
      const int64_t at = slice.begin[d] < 0 ? int64_t{slice.begin[d]} + size : slice.begin[d];
      if (at < 0 || at >= size || stride < 0) return Status::Error("a slice of no element");
      placed->first.push_back(static_cast<int>(at));
      placed->stride.push_back(1);
      placed->size.push_back(1);
      continue;
    }
    const int low = stride > 0 ? 0 : -1, high = stride > 0 ? size : size - 1;
    const int first = masked(slice.begin_mask) ? (stride > 0 ? low : high)
                                               : Position(slice.begin[d], size, low, high);
    const int end = masked(slice.end_mask) ? (stride > 0 ? high : low)
                                           : Position(slice.end[d], size, low, high);
    const int64_t step = stride > 0 ? stride : -int64_t{stride};
    const int64_t reach = stride > 0 ? int64_t{end} - first : int64_t{first} - end;
    placed->first.push_back(first);
    placed->stride.push_back(stride);
    placed->size.push_back(reach <= 0 ? 0 : static_cast<int>((reach + step - 1) / step));
    placed->shape.push_back(placed->size.back());
  }
  return Status();
}

}  // namespace sbnn
