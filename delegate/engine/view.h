// A tensor of whoever runs a network: row-major, channels last, of the shape that the network was
// prepared for.
#ifndef SBNN_DELEGATE_ENGINE_VIEW_H_
#define SBNN_DELEGATE_ENGINE_VIEW_H_

#include <cstdint>

#include "delegate/format/element_type.h"

namespace sbnn {

// Where it is, and what its elements are.
struct TensorView {
  TensorView(void* d, ElementType t) : data(d), type(t) {}
  TensorView(float* d) : TensorView(d, ElementType::kFloat32) {}
  TensorView(int8_t* d) : TensorView(d, ElementType::kInt8) {}
  TensorView(uint8_t* d) : TensorView(d, ElementType::kUint8) {}

  void* data;
  ElementType type;
};

// The same, of what is only read.
struct ConstTensorView {
  ConstTensorView(const void* d, ElementType t) : data(d), type(t) {}
  ConstTensorView(const float* d) : ConstTensorView(d, ElementType::kFloat32) {}
  ConstTensorView(const int8_t* d) : ConstTensorView(d, ElementType::kInt8) {}
  ConstTensorView(const uint8_t* d) : ConstTensorView(d, ElementType::kUint8) {}

  const void* data;
  ElementType type;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_VIEW_H_
