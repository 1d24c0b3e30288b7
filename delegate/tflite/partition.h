// Which nodes the delegate claims, and why not the others.
#ifndef SBNN_DELEGATE_TFLITE_PARTITION_H_
#define SBNN_DELEGATE_TFLITE_PARTITION_H_

#include <string>
#include <vector>

#include "delegate/tflite/constants.h"
#include "delegate/tflite/options.h"
#include "tensorflow/lite/c/common.h"

namespace sbnn {

struct Verdict {
  int node;
  std::string op;
  std::string reason;  // empty: claimed
  bool heavy = false;
};

struct Partition {
  std::vector<Verdict> verdicts;  // in the order of execution
  int parts = 0;

  std::vector<int> Claimed() const;
  std::string Report() const;
};

TfLiteStatus MakePartition(TfLiteContext* context, const TfLiteIntArray& plan,
                           const Constants& constants, const Kernels& kernels,
                           Partition* partition);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TFLITE_PARTITION_H_
