// What the elements of tensors, constants and packed weights are.
#ifndef SBNN_DELEGATE_FORMAT_ELEMENT_TYPE_H_
#define SBNN_DELEGATE_FORMAT_ELEMENT_TYPE_H_

#include <cstddef>
#include <cstdint>

namespace sbnn {

enum class ElementType : uint8_t { kFloat32, kFloat16, kInt8, kUint8, kInt32 };

constexpr size_t BytesOf(ElementType type) {
  switch (type) {
    case ElementType::kFloat16:
      return 2;
    case ElementType::kInt8:
    case ElementType::kUint8:
      return 1;
    default:
      return 4;
  }
}

constexpr bool IsFloat(ElementType type) {
  return type == ElementType::kFloat32 || type == ElementType::kFloat16;
}

constexpr const char* NameOf(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "float32";
    case ElementType::kFloat16:
      return "float16";
    case ElementType::kInt8:
      return "int8";
    case ElementType::kUint8:
      return "uint8";
    default:
      return "int32";
  }
}

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_ELEMENT_TYPE_H_
