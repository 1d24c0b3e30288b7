#include "delegate/format/filed_weights.h"

#include <cstring>

namespace sbnn {
namespace {

template <typename Shape, typename Weights>
FiledWeights FiledAs(FiledKind kind, const std::shared_ptr<const Weights>& weights) {
  const Shape& shape = *weights;
  FiledWeights filed;
  static_assert(sizeof(shape) <= sizeof(filed.shape), "files have room for so many sizes");
  filed.kind = kind;
  std::memcpy(filed.shape.data(), &shape, sizeof(shape));
  filed.memory = std::shared_ptr<const void>(weights, weights->storage.get());
  filed.bytes = shape.bytes();
  return filed;
}

template <typename Shape, typename Weights>
bool FromFileAs(FiledKind kind, const FiledWeights& filed,
                std::shared_ptr<const Weights>* weights) {
  Shape shape;
  std::memcpy(static_cast<void*>(&shape), filed.shape.data(), sizeof(shape));
  if (filed.kind != kind || !Plausible(shape) || shape.bytes() != filed.bytes) return false;
  auto found = std::make_shared<const Weights>(shape, filed.memory);
  if (!Validate(*found).ok()) return false;
  *weights = std::move(found);
  return true;
}

}  // namespace

FiledWeights Filed(const std::shared_ptr<const PackedWeights>& weights) {
  return FiledAs<PackedShape>(FiledKind::kFloats, weights);
}

FiledWeights Filed(const std::shared_ptr<const Int8Weights>& weights) {
  return FiledAs<Int8Shape>(FiledKind::kInt8, weights);
}

bool FromFile(const FiledWeights& filed, std::shared_ptr<const PackedWeights>* weights) {
  return FromFileAs<PackedShape>(FiledKind::kFloats, filed, weights);
}

bool FromFile(const FiledWeights& filed, std::shared_ptr<const Int8Weights>* weights) {
  return FromFileAs<Int8Shape>(FiledKind::kInt8, filed, weights);
}

}  // namespace sbnn
