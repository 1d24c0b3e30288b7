#include "delegate/translation/types.h"

#include <string>

#include "delegate/translation/int_array.h"

namespace sbnn {

bool ElementTypeOf(TfLiteType type, ElementType* found) {
  switch (type) {
    case kTfLiteFloat32:
      *found = ElementType::kFloat32;
      return true;
    case kTfLiteFloat16:
      *found = ElementType::kFloat16;
      return true;
    case kTfLiteInt8:
      *found = ElementType::kInt8;
      return true;
    case kTfLiteUInt8:
      *found = ElementType::kUint8;
      return true;
    case kTfLiteInt32:
      *found = ElementType::kInt32;
      return true;
    default:
      return false;
  }
}

Status ReadQuantization(const TfLiteTensor& tensor, ChannelQuantization* q) {
  *q = ChannelQuantization();
  if (tensor.quantization.type != kTfLiteAffineQuantization) return Status();
  const auto* const params =
      static_cast<const TfLiteAffineQuantization*>(tensor.quantization.params);
  if (params == nullptr || params->scale == nullptr || params->zero_point == nullptr) {
    return Status::Error("a quantization without scales or zero points");
  }
  q->scales.assign(params->scale->data, params->scale->data + params->scale->size);
  q->zero_points = ToVector(params->zero_point);
  // (Where all are the same, some versions of TensorFlow Lite keep one.)
  if (q->zero_points.size() == 1 && q->scales.size() > 1) {
    q->zero_points.resize(q->scales.size(), q->zero_points[0]);
  }
  q->axis = params->quantized_dimension;
  return Status();
}

Status ReadType(const TfLiteTensor& tensor, TensorType* type) {
  if (!ElementTypeOf(tensor.type, &type->element)) return Status::Error("an unknown type");
  type->quantization = Quantization();
  if (type->element != ElementType::kInt8 && type->element != ElementType::kUint8) return Status();
  ChannelQuantization q;
  Status status = ReadQuantization(tensor, &q);
  if (status.ok() && (q.scales.size() != 1 || q.zero_points.size() != 1)) {
    status = Status::Error("expected one scale and one zero point, found " +
                           std::to_string(q.scales.size()) + " and " +
                           std::to_string(q.zero_points.size()));
  }
  if (status.ok()) {
    type->quantization = {q.scales[0], q.zero_points[0]};
    status = Validate(type->quantization, type->element);
  }
  if (status.ok()) return status;
  return Status::Error(std::string("a tensor of ") + NameOf(type->element) + ": " +
                       status.message());
}

}  // namespace sbnn
