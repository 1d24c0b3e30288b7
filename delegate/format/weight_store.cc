#include "delegate/format/weight_store.h"

#include <algorithm>
#include <unordered_map>

#include "delegate/format/locks.h"

namespace sbnn {
namespace {

// To be raised whenever Pack gives other weights for the same arguments.
constexpr int kPackVersion = 3;

template <typename T>
void AddArray(const T* data, size_t count, Hasher* hasher) {
  hasher->Add(data, count * sizeof(T));
}

void AddFilter(const Constant& c, const std::string& isa, Hasher* hasher) {
  hasher->Add(kPackVersion);
  AddArray(isa.data(), isa.size(), hasher);
  AddArray(c.shape.data(), c.shape.size(), hasher);
  AddArray(c.traversal.data(), c.traversal.size(), hasher);
  AddArray(c.block_map.data(), c.block_map.size(), hasher);
  for (const SparseLevel& level : c.levels) {
    hasher->Add(level.csr ? -1 : level.dense_size);
    AddArray(level.segments, level.segment_count, hasher);
    AddArray(level.indices, level.index_count, hasher);
  }
  hasher->Add(static_cast<int64_t>(c.type));
  hasher->Add(c.values, c.value_count * BytesOf(c.type));
}

// The weights that are in use anywhere in this process.
class Registry {
 public:
  // Never destroyed: an interpreter may outlive main().
  static Registry& Get() {
    static Registry* const registry = new Registry;
    return *registry;
  }

  // (A key says of what kind its weights are.)
  template <typename Weights>
  std::shared_ptr<const Weights> Find(const Hash& key) {
    const Lock lock(mutex_);
    const auto found = weights_.find(key);
    if (found == weights_.end()) return nullptr;
    return std::static_pointer_cast<const Weights>(found->second.weights.lock());
  }

  // The same, of whatever kind. False: they are gone.
  bool FindFiled(const Hash& key, FiledWeights* filed) {
    const Lock lock(mutex_);
    const auto found = weights_.find(key);
    if (found == weights_.end()) return false;
    const std::shared_ptr<const void> weights = found->second.weights.lock();
    if (weights == nullptr) return false;
    *filed = found->second.filed;
    filed->memory = std::shared_ptr<const void>(weights, found->second.memory);
    return true;
  }

  // Returns what others are to use: `weights`, or what another thread was quicker to add.
  template <typename Weights>
  std::shared_ptr<const Weights> Add(const Hash& key, std::shared_ptr<const Weights> weights) {
    const Lock lock(mutex_);
    for (auto i = weights_.begin(); i != weights_.end();) {
      i = i->second.weights.expired() ? weights_.erase(i) : std::next(i);
    }
    Known& known = weights_[key];
    if (auto other = known.weights.lock()) {
      return std::static_pointer_cast<const Weights>(other);
    }
    known.weights = weights;
    known.filed = Filed(weights);
    known.memory = known.filed.memory.get();
    known.filed.memory = nullptr;  // of which nobody here keeps anything
    return weights;
  }

 private:
  struct FirstWord {
    size_t operator()(const Hash& hash) const { return static_cast<size_t>(hash.a); }
  };
  struct Known {
    std::weak_ptr<const void> weights;
    FiledWeights filed;  // but for its memory
    const void* memory = nullptr;
  };

  Mutex mutex_;
  std::unordered_map<Hash, Known, FirstWord> weights_;
};

bool Has(const std::vector<std::pair<Hash, FiledWeights>>& weights, const Hash& key) {
  return std::any_of(weights.begin(), weights.end(), [&](const auto& w) { return w.first == key; });
}

}  // namespace

WeightStore::WeightStore(std::string cache_path) : cache_path_(std::move(cache_path)) {}

std::shared_ptr<const WeightFile> WeightStore::OpenFile() const {
  std::shared_ptr<const WeightFile> file;
  // A file that cannot be read is written anew: nothing needs to be said about it.
  if (cache_path_.empty() || !WeightFile::Open(cache_path_, &file).ok()) return nullptr;
  return file;
}

template <typename Weights, typename PackFn>
Status WeightStore::FindOrPack(const Hash& key, const PackFn& pack,
                               std::shared_ptr<const Weights>* packed) {
  if (!opened_) file_ = OpenFile();
  opened_ = true;
  std::shared_ptr<const Weights> weights = Registry::Get().Find<Weights>(key);
  const bool filed = file_ != nullptr && file_->Has(key);
  if (weights == nullptr) {
    FiledWeights found;
    if (filed && WeightFile::Find(file_, key, &found)) FromFile(found, &weights);
    if (weights == nullptr) {
      complete_ = false;
      auto made = std::make_shared<Weights>();
      const Status status = pack(made.get());
      if (!status.ok()) return status;
      weights = std::move(made);
    }
    weights = Registry::Get().Add(key, std::move(weights));
  }
  complete_ = complete_ && filed;
  bytes_ += weights->bytes();
  if (!cache_path_.empty() && !Has(used_, key)) used_.emplace_back(key, Filed(weights));
  *packed = std::move(weights);
  return Status();
}

Status WeightStore::Get(const Constant& filter, const std::vector<float>& bias,
                        const ColumnCost& cost, const std::string& isa,
                        std::shared_ptr<const PackedWeights>* packed) {
  Hasher hasher;
  AddFilter(filter, isa, &hasher);
  hasher.Add(static_cast<int64_t>(FiledKind::kFloats));
  hasher.Add(&cost, sizeof(cost));
  AddArray(bias.data(), bias.size(), &hasher);
  return FindOrPack(
      hasher.hash(), [&](PackedWeights* made) { return Pack(filter, bias.data(), cost, made); },
      packed);
}

Status WeightStore::Get(const Constant& filter, const Int8Outputs& outputs, const Int8Cost& cost,
                        const std::string& isa, std::shared_ptr<const Int8Weights>* packed) {
  Hasher hasher;
  AddFilter(filter, isa, &hasher);
  hasher.Add(static_cast<int64_t>(FiledKind::kInt8));
  hasher.Add(&cost, sizeof(cost));
  AddArray(outputs.bias.data(), outputs.bias.size(), &hasher);
  AddArray(outputs.scale.data(), outputs.scale.size(), &hasher);
  hasher.Add(outputs.input_offset);
  hasher.Add(outputs.groups);
  return FindOrPack(
      hasher.hash(), [&](Int8Weights* made) { return Pack(filter, outputs, cost, made); }, packed);
}

Status WeightStore::Save() {
  Status status;
  if (!complete_ && !used_.empty()) {
    auto weights = used_;
    for (const Hash& key : saved_) {
      if (Has(weights, key)) continue;
      FiledWeights kept;
      if (Registry::Get().FindFiled(key, &kept) ||
          (file_ != nullptr && WeightFile::Find(file_, key, &kept))) {
        weights.emplace_back(key, std::move(kept));
      }
    }
    status = WriteWeightFile(cache_path_, weights);
  }
  for (const auto& [key, weights] : used_) saved_.push_back(key);
  used_.clear();
  bytes_ = 0;
  complete_ = true;
  opened_ = false;
  file_ = nullptr;  // the weights keep it mapped where they view it
  return status;
}

}  // namespace sbnn
