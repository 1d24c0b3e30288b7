// One claimed part of a graph, as the single node that TensorFlow Lite sees in its place.
#ifndef SBNN_DELEGATE_TFLITE_PART_H_
#define SBNN_DELEGATE_TFLITE_PART_H_

#include <optional>
#include <vector>

#include "delegate/translation/constants.h"
#include "delegate/translation/options.h"
#include "delegate/translation/runner.h"
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
  void SendProfile() const { runner_.SendProfile(); }

 private:
  Status Build(const TfLiteDelegateParams& params, const Constants& constants, int subgraph,
               int number, Translations* translations);

  std::vector<Shape> InputShapes(const TfLiteContext& context) const;

  Status status_;    // of its making
  Status prepared_;  // for the inputs at hand
  // Of inputs whose size is not known yet: those of the file.
  std::optional<std::vector<Shape>> placeholders_;
  Runner runner_;
  std::vector<int> inputs_, outputs_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TFLITE_PART_H_
