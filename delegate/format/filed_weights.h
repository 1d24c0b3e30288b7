// Packed weights of any kind, as a file has them.
#ifndef SBNN_DELEGATE_FORMAT_FILED_WEIGHTS_H_
#define SBNN_DELEGATE_FORMAT_FILED_WEIGHTS_H_

#include <array>
#include <cstdint>
#include <memory>

#include "delegate/format/int8_weights.h"
#include "delegate/format/packed_weights.h"

namespace sbnn {

enum class FiledKind : uint32_t { kFloats, kInt8 };

struct FiledWeights {
  FiledKind kind = FiledKind::kFloats;
  std::array<int32_t, 7> shape{};      // the kind's sizes
  std::shared_ptr<const void> memory;  // `bytes` of it
  uint64_t bytes = 0;
};

FiledWeights Filed(const std::shared_ptr<const PackedWeights>& weights);
FiledWeights Filed(const std::shared_ptr<const Int8Weights>& weights);

// Views of what is filed, which live as long as they do. False: it is of another kind, or says what
// cannot be.
bool FromFile(const FiledWeights& filed, std::shared_ptr<const PackedWeights>* weights);
bool FromFile(const FiledWeights& filed, std::shared_ptr<const Int8Weights>* weights);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_FILED_WEIGHTS_H_
