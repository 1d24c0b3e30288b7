#include "delegate/translation/typical_shapes.h"

#include <algorithm>
#include <utility>

#include "delegate/translation/int_array.h"
#include "delegate/translation/translate.h"

namespace sbnn {
namespace {

constexpr int kRows = 224;   // and columns, of an image
constexpr int kSteps = 128;  // of a sequence, and whatever else there is

// Whether a file leaves dimension d of a tensor to the user, who has not come yet. The first is the
// batch.
bool IsOpen(const TfLiteTensor& tensor, int d) {
  const TfLiteIntArray* const signature = tensor.dims_signature;
  return d > 0 && signature != nullptr && tensor.dims != nullptr &&
         signature->size == tensor.dims->size && d < signature->size && signature->data[d] == -1 &&
         tensor.dims->data[d] == 1;
}

int Typical(int rank, int d) { return rank == 4 && d < 3 ? kRows : kSteps; }

}  // namespace

TypicalShapes::TypicalShapes(const TfLiteContext& context, const std::set<int>& inputs)
    : context_(context) {
  for (int input : inputs) {
    Shape shape = Of(input);
    const int rank = static_cast<int>(shape.size());
    for (int d = 0; d < rank; ++d) {
      if (IsOpen(tensor(input), d)) shape[d] = Typical(rank, d);
    }
    if (shape != Of(input)) assumed_[input] = shape;
  }
  shapes_.insert(assumed_.begin(), assumed_.end());
}

Shape TypicalShapes::Of(int index) const {
  const auto found = shapes_.find(index);
  if (found != shapes_.end()) return found->second;
  return ToVector(tensor(index).dims);
}

void TypicalShapes::Follow(const TfLiteNode& node, const std::vector<Translation>& translations) {
  if (assumed_.empty()) return;
  for (int i = 0; i < node.outputs->size; ++i) {
    const int output = node.outputs->data[i];
    if (output < 0) continue;
    const bool known = i < static_cast<int>(translations.size()) && Infer(translations[i]);
    if (!known) shapes_[output] = Guess(node, output);
  }
}

// False: the inputs' shapes do not tell.
bool TypicalShapes::Infer(const Translation& translation) {
  if (translation.op == nullptr) return false;
  std::vector<Shape> inputs;
  for (int input : translation.inputs) {
    const auto numbers = numbers_.find(input);
    if (numbers == numbers_.end() && tensor(input).type == kTfLiteInt32) return false;
    inputs.push_back(numbers == numbers_.end() ? Of(input) : numbers->second);
  }
  Shape output;
  if (!translation.op->InferShape(inputs, &output).ok()) return false;
  auto& found = translation.op->OnShapes() ? numbers_ : shapes_;
  found[translation.output] = std::move(output);
  return true;
}

// As large as an input of the same rank.
Shape TypicalShapes::Guess(const TfLiteNode& node, int output) const {
  Shape shape = Of(output);
  const int rank = static_cast<int>(shape.size());
  for (int d = 0; d < rank; ++d) {
    if (!IsOpen(tensor(output), d)) continue;
    shape[d] = Typical(rank, d);
    for (int i = 0; i < node.inputs->size; ++i) {
      const int input = node.inputs->data[i];
      if (input < 0 || !IsOpen(tensor(input), d)) continue;
      const Shape other = Of(input);
      if (static_cast<int>(other.size()) != rank) continue;
      shape[d] = other[d];
      break;
    }
  }
  return shape;
}

}  // namespace sbnn
