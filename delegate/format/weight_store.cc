#include "delegate/format/weight_store.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>

namespace sbnn {
namespace {

// To be raised whenever Pack gives other weights for the same arguments.
constexpr int kPackVersion = 2;

template <typename T>
void AddArray(const T* data, size_t count, Hasher* hasher) {
  hasher->Add(data, count * sizeof(T));
}

Hash KeyOf(const Constant& c, const std::vector<float>& bias, const ColumnCost& cost,
           const std::string& isa) {
  Hasher hasher;
  hasher.Add(kPackVersion);
  AddArray(isa.data(), isa.size(), &hasher);
  hasher.Add(&cost, sizeof(cost));
  AddArray(c.shape.data(), c.shape.size(), &hasher);
  AddArray(c.traversal.data(), c.traversal.size(), &hasher);
  AddArray(c.block_map.data(), c.block_map.size(), &hasher);
  for (const SparseLevel& level : c.levels) {
    hasher.Add(level.csr ? -1 : level.dense_size);
    AddArray(level.segments, level.segment_count, &hasher);
    AddArray(level.indices, level.index_count, &hasher);
  }
  hasher.Add(static_cast<int64_t>(c.type));
  hasher.Add(c.values, c.value_count * BytesOf(c.type));
  AddArray(bias.data(), bias.size(), &hasher);
  return hasher.hash();
}

// The weights that are in use anywhere in this process.
class Registry {
 public:
  // Never destroyed: an interpreter may outlive main().
  static Registry& Get() {
    static Registry* const registry = new Registry;
    return *registry;
  }

  std::shared_ptr<const PackedWeights> Find(const Hash& key) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = weights_.find(key);
    return found == weights_.end() ? nullptr : found->second.lock();
  }

  // Returns what others are to use: `weights`, or what another thread was quicker to add.
  std::shared_ptr<const PackedWeights> Add(const Hash& key,
                                           std::shared_ptr<const PackedWeights> weights) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto i = weights_.begin(); i != weights_.end();) {
      i = i->second.expired() ? weights_.erase(i) : std::next(i);
    }
    std::weak_ptr<const PackedWeights>& known = weights_[key];
    if (auto other = known.lock()) return other;
    known = weights;
    return weights;
  }

 private:
  struct FirstWord {
    size_t operator()(const Hash& hash) const { return static_cast<size_t>(hash.a); }
  };

  std::mutex mutex_;
  std::unordered_map<Hash, std::weak_ptr<const PackedWeights>, FirstWord> weights_;
};

bool Has(const std::vector<std::pair<Hash, std::shared_ptr<const PackedWeights>>>& weights,
         const Hash& key) {
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

Status WeightStore::Get(const Constant& filter, const std::vector<float>& bias,
                        const ColumnCost& cost, const std::string& isa,
                        std::shared_ptr<const PackedWeights>* packed) {
  if (!opened_) file_ = OpenFile();
  opened_ = true;
  const Hash key = KeyOf(filter, bias, cost, isa);
  std::shared_ptr<const PackedWeights> weights = Registry::Get().Find(key);
  const bool filed = file_ != nullptr && file_->Has(key);
  if (weights == nullptr) {
    if (filed) weights = WeightFile::Find(file_, key);
    if (weights == nullptr) {
      complete_ = false;
      auto made = std::make_shared<PackedWeights>();
      const Status status = Pack(filter, bias.data(), cost, made.get());
      if (!status.ok()) return status;
      weights = std::move(made);
    }
    weights = Registry::Get().Add(key, std::move(weights));
  }
  complete_ = complete_ && filed;
  bytes_ += weights->bytes();
  if (!cache_path_.empty() && !Has(used_, key)) used_.emplace_back(key, weights);
  *packed = std::move(weights);
  return Status();
}

Status WeightStore::Save() {
  Status status;
  if (!complete_ && !used_.empty()) {
    auto weights = used_;
    for (const Hash& key : saved_) {
      if (Has(weights, key)) continue;
      std::shared_ptr<const PackedWeights> kept = Registry::Get().Find(key);
      if (kept == nullptr && file_ != nullptr) kept = WeightFile::Find(file_, key);
      if (kept != nullptr) weights.emplace_back(key, std::move(kept));
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
