// One claimed part of a graph, as the single node that TensorFlow Lite sees in its place.
#ifndef SBNN_DELEGATE_TFLITE_PART_H_
#define SBNN_DELEGATE_TFLITE_PART_H_

#include <optional>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/report/network_report.h"
#include "delegate/translation/constants.h"
#include "delegate/translation/options.h"
#include "delegate/tflite/partition.h"
#include "tensorflow/lite/c/common.h"

namespace sbnn {

class Part {
 public:
  // Takes the part's operators out of `translations`. `number` is for reports, of the parts of the
  // subgraph that compute something. `any_size`: the file leaves sizes of inputs open.
  Part(TfLiteContext* context, const TfLiteDelegateParams& params, const Constants& constants,
       const Options& options, int subgraph, int number, bool any_size, Translations* translations);
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  // Called again when an input was resized.
  Status Prepare(TfLiteContext* context);
  Status Run(TfLiteContext* context);
  // While it runs: not the constants, which TensorFlow Lite counts among what it reads and writes.
  bool Reads(int tensor) const;
  bool Writes(int tensor) const;
  // Whether there is more in it than constants for other parts.
  bool computes() const { return !outputs_.empty(); }
  // If one was asked for.
  void SendProfile() const;

 private:
  Status Build(TfLiteContext* context, const TfLiteDelegateParams& params,
               const Constants& constants, Translations* translations,
               std::vector<NetworkReport::Op>* ops);

  std::vector<Shape> InputShapes(const TfLiteContext& context) const;

  const Options options_;
  Status status_;    // of its making
  Status prepared_;  // for the inputs at hand
  // Of inputs whose size is not known yet: those of the file.
  std::optional<std::vector<Shape>> placeholders_;
  Network network_;
  std::vector<int> inputs_, outputs_;
  std::optional<NetworkReport> report_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TFLITE_PART_H_
