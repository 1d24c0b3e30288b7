// The shapes by which nodes are translated and priced.
#ifndef SBNN_DELEGATE_TRANSLATION_TYPICAL_SHAPES_H_
#define SBNN_DELEGATE_TRANSLATION_TYPICAL_SHAPES_H_

#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "delegate/engine/tensor.h"
#include "tensorflow/lite/c/common.h"

namespace sbnn {

struct Translation;

// Those of TensorFlow Lite, but where a file leaves dimensions open. There it has placeholders,
// mostly images of one pixel, when nodes are claimed and weights packed, which is once for all
// sizes to come: what a network is mostly used with takes their place, from the graph's inputs on
// through its nodes. (The batch stays as it is: one image.)
class TypicalShapes {
 public:
  // `inputs` are the graph's.
  TypicalShapes(const TfLiteContext& context, const std::set<int>& inputs);

  Shape Of(int tensor) const;
  // The inputs that were taken for another shape than they have.
  const std::map<int, Shape>& assumed() const { return assumed_; }

  // Finds the shapes of a node's outputs. `translations`, of the first outputs, know what follows
  // from the inputs; of others it is guessed.
  void Follow(const TfLiteNode& node, const std::vector<Translation>& translations);

 private:
  const TfLiteTensor& tensor(int index) const { return context_.tensors[index]; }
  bool Infer(const Translation& translation);
  Shape Guess(const TfLiteNode& node, int output) const;

  const TfLiteContext& context_;
  std::map<int, Shape> assumed_;
  std::unordered_map<int, Shape> shapes_;   // that differ from TensorFlow Lite's
  std::unordered_map<int, Shape> numbers_;  // of tensors of whole numbers that follow from shapes
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_TYPICAL_SHAPES_H_
