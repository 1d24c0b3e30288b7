// The constants of a graph as the file stores them, found through the nodes that unpack them.
#ifndef SBNN_DELEGATE_TRANSLATION_CONSTANTS_H_
#define SBNN_DELEGATE_TRANSLATION_CONSTANTS_H_

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "delegate/format/constant.h"
#include "delegate/format/status.h"
#include "tensorflow/lite/c/common.h"

namespace sbnn {

// Made once for a whole execution plan: TFLite's partitioner puts all nodes without run-time inputs
// into the first part, so a part alone does not show where its weights come from.
class Constants {
 public:
  Constants() = default;
  Constants(TfLiteContext* context, const TfLiteIntArray& plan);

  // Fails if a DENSIFY would read a tensor whose encoding contradicts itself. TFLite's own DENSIFY
  // trusts it, and crashes on some.
  Status CheckSparse(const TfLiteContext* context) const;

  // Whether this node only unpacks a constant: DENSIFY, or DEQUANTIZE of 16-bit floats.
  bool Unpacks(int node) const { return unpackers_.count(node) != 0; }
  bool Has(const TfLiteContext* context, int tensor) const;

  TfLiteType TypeOf(const TfLiteContext* context, int tensor) const {
    return context->tensors[Source(tensor)].type;
  }
  std::vector<int> ShapeOf(const TfLiteContext* context, int tensor) const;

  // A float tensor, dense or sparse. The view points into the model file and into TFLite's tensors.
  Status Floats(const TfLiteContext* context, int tensor, Constant* constant) const;
  // The same of int8 or uint8.
  Status Bytes(const TfLiteContext* context, int tensor, Constant* constant) const;
  // Floats, expanded. For small constants such as a bias.
  Status DenseFloats(const TfLiteContext* context, int tensor, std::vector<float>* values) const;
  // A tensor of int8 or uint8 with its scales, dense or sparse.
  Status Quantized(const TfLiteContext* context, int tensor, Constant* constant) const;
  // The numbers of such a tensor plus `shift`, expanded. For small constants.
  static Status Expand(const Constant& constant, float shift, std::vector<int8_t>* numbers);
  // A dense tensor of 32-bit integers.
  Status Ints(const TfLiteContext* context, int tensor, std::vector<int>* values) const;

 private:
  int Source(int tensor) const;
  // Views weights, wherever they are, of either type.
  Status Weights(const TfLiteContext* context, int tensor, TfLiteType one, TfLiteType other,
                 const char* expected, Constant* constant) const;
  // Views a tensor of the file.
  Status Read(const TfLiteContext* context, int tensor, Constant* constant) const;

  std::unordered_map<int, int> source_;     // unpacked tensor -> the tensor that it comes from
  std::unordered_map<int, int> unpackers_;  // node -> its output
  // Of every sparse tensor that was read: checking one is a walk over all its indices.
  mutable std::unordered_map<int, Status> checked_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_CONSTANTS_H_
