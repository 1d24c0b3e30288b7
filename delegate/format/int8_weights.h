// Weights of int8 in the order in which the int8 kernels read them: groups of outputs, and for each
// group steps, of four inputs each.
#ifndef SBNN_DELEGATE_FORMAT_INT8_WEIGHTS_H_
#define SBNN_DELEGATE_FORMAT_INT8_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "delegate/format/constant.h"
#include "delegate/format/packed_weights.h"
#include "delegate/format/status.h"

namespace sbnn {

// The outputs that a group may have. (No std::array: kernels' sources must not call inline
// functions of the library.)
constexpr int kInt8Groups[] = {1, 2, 4};
constexpr int kInt8GroupKinds = 3;

constexpr int kQuad = 4;  // inputs of a step, and outputs that are stored together

// What a step costs for one vector of pixels, for each of kInt8Groups, in any unit. 0: there is
// none of this kind.
struct Int8Cost {
  float blocks[kInt8GroupKinds];   // four inputs of a quad, at one tap
  float columns[kInt8GroupKinds];  // any four columns, each an input at a tap
};

// For the product with just one pixel.
constexpr Int8Cost kInt8VectorCost = {{0, 0, 1}, {2, 2.3f, 3}};

// The sizes of packed weights, which say how they lie in memory: weights, bias, scale, group_begin,
// indices, one behind the other.
struct Int8Shape {
  int32_t outputs = 0;
  int32_t inputs = 0;
  int32_t taps = 1;
  int32_t group = 1;
  int32_t columns = 0;  // 1: steps of single columns; 0: of blocks
  uint32_t steps = 0;

  int quads() const { return (outputs + kQuad - 1) / kQuad; }
  int lanes() const { return quads() * kQuad; }
  int groups() const { return lanes() / group; }
  int indices_of_step() const { return columns != 0 ? kQuad : 1; }
  // What indices are less than. (A damaged file may say anything: products need 64 bits.)
  int64_t index_end() const {
    return int64_t{columns != 0 ? inputs : (inputs + kQuad - 1) / kQuad} * taps;
  }
  uint64_t bytes() const;
};

struct Int8Weights : Int8Shape {
  View<int8_t> weights;        // [steps][group][4 inputs], none of them -128
  View<int32_t> bias;          // [lanes], with what the inputs' offset adds up to taken back
  View<float> scale;           // [lanes] from a sum to the output's numbers
  View<uint32_t> group_begin;  // [groups + 1] first step of each group
  View<uint16_t> indices;      // [steps] quad * taps + tap, or [steps][4] input * taps + tap

  std::shared_ptr<const void> storage;  // keeps alive what the views show

  Int8Weights() = default;
  // Views `memory`, shape.bytes() of it, aligned to a float. What it says is not checked.
  Int8Weights(const Int8Shape& shape, std::shared_ptr<const void> memory);
};

// Whether sizes are such that no arithmetic on them goes wrong; and whether the indices stay inside
// of them. For packed weights that come from a file.
bool Plausible(const Int8Shape& shape);
Status Validate(const Int8Weights& weights);

// What weights become outputs with.
struct Int8Outputs {
  std::vector<int32_t> bias;  // [outputs]
  std::vector<float> scale;   // [outputs] input scale * weight scale / output scale
  int32_t input_offset = 0;   // what the kernels see an input of 0 as
  int32_t groups = 1;         // of outputs: each sees inputs of its own, one behind the other
};

// Packs a filter of shape [outputs, ..., inputs of a group] (OHWI, or OI) that passed Validate; the
// dimensions between are the taps, row-major. To the kernels, a group's filter has zeros where
// other groups' inputs are. Groups of blocks or columns: what `cost` makes cheapest for the zeros
// found. A weight of -128 becomes two, of steps of their own. Throws std::bad_alloc.
Status Pack(const Constant& filter, const Int8Outputs& outputs, const Int8Cost& cost,
            Int8Weights* packed);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_INT8_WEIGHTS_H_
