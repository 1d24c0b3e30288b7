// Where packed weights come from: whoever else in this process has them, a file, or the packer.
#ifndef SBNN_DELEGATE_FORMAT_WEIGHT_STORE_H_
#define SBNN_DELEGATE_FORMAT_WEIGHT_STORE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delegate/format/constant.h"
#include "delegate/format/hash.h"
#include "delegate/format/int8_weights.h"
#include "delegate/format/packed_weights.h"
#include "delegate/format/status.h"
#include "delegate/format/weight_file.h"

namespace sbnn {

// Weights are known by a hash of all that packing them depends on, so that equal constants are
// packed once, whichever files or buffers they come from. They go when their last user goes.
class WeightStore {
 public:
  // Without a path, weights are shared inside this process only.
  explicit WeightStore(std::string cache_path = "");

  // The weights that Pack makes of a filter that passed Validate. `bias` has as many values as the
  // filter has outputs. `isa` names the kernels that `cost` is of.
  Status Get(const Constant& filter, const std::vector<float>& bias, const ColumnCost& cost,
             const std::string& isa, std::shared_ptr<const PackedWeights>* packed);

  // The same of int8.
  Status Get(const Constant& filter, const Int8Outputs& outputs, const Int8Cost& cost,
             const std::string& isa, std::shared_ptr<const Int8Weights>* packed);

  // Of all weights that were asked for since the last Save, whether anyone shares them or not.
  size_t bytes() const { return bytes_; }

  // Writes the file if it lacks any of the weights that were asked for since the last call; those
  // that were saved before, of other graphs of the model, stay in it.
  Status Save();

 private:
  // What is known under `key`, is in the file, or else what `pack` makes.
  template <typename Weights, typename PackFn>
  Status FindOrPack(const Hash& key, const PackFn& pack, std::shared_ptr<const Weights>* packed);
  // Null: none that can be read.
  std::shared_ptr<const WeightFile> OpenFile() const;

  const std::string cache_path_;
  // Since the last Save:
  bool opened_ = false;
  std::shared_ptr<const WeightFile> file_;
  size_t bytes_ = 0;
  bool complete_ = true;  // the file has all of what was used
  std::vector<std::pair<Hash, FiledWeights>> used_;

  std::vector<Hash> saved_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_WEIGHT_STORE_H_
