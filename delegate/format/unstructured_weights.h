// Weights without structure, packed for spmm_unstructured.
#ifndef SBNN_DELEGATE_FORMAT_UNSTRUCTURED_WEIGHTS_H_
#define SBNN_DELEGATE_FORMAT_UNSTRUCTURED_WEIGHTS_H_

#include <cstdint>
#include <vector>

#include "delegate/format/packed_weights.h"

namespace sbnn {

// One output's weights in a block of inputs, by increasing column.
struct UnstructuredRow {
  std::vector<uint16_t> columns;
  std::vector<float> values;

  void Clear() {
    columns.clear();
    values.clear();
  }
};

// What PackedWeights says of one block of inputs.
struct UnstructuredBlock {
  std::vector<uint16_t> columns;
  std::vector<float> values;
  std::vector<OutputPair> pairs;
};

// Appends a window of outputs, a row each, all columns of which are less than kUnstructuredColumns
// behind `first_column`. Sorting rows by their lengths, so that what runs side by side is equally
// long, is SELL-C-sigma: Kreutzer et al., "A unified sparse matrix data format" (2014).
void AppendWindow(const std::vector<UnstructuredRow>& rows, int first_column,
                  UnstructuredBlock* block);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_UNSTRUCTURED_WEIGHTS_H_
