#include "delegate/format/int8_weights.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include "delegate/format/aligned_memory.h"

namespace sbnn {
namespace {

// Reads four outputs at a time.
class QuadReader {
 public:
  QuadReader(const Constant& filter, const Int8Shape& shape, int groups)
      : filter_(filter),
        outputs_(shape.outputs),
        inputs_(shape.inputs),
        taps_(shape.taps),
        of_group_(shape.inputs / groups),
        outputs_of_group_(shape.outputs / groups) {
    values_.resize(static_cast<size_t>(quads_of_inputs()) * kQuad * taps_);
    if (filter.sparse()) Bucket();
  }

  int quads_of_inputs() const { return (inputs_ + kQuad - 1) / kQuad; }
  int taps() const { return taps_; }

  using Column = std::array<int8_t, kQuad>;  // of four outputs
  // Of an input and a tap; zeros behind the last input and the last output.
  const Column& at(int input, int tap) const {
    return values_[static_cast<size_t>(input) * taps_ + tap];
  }
  const std::vector<Column>& columns() const { return values_; }  // [input][tap]

  void Read(int quad) {
    std::fill(values_.begin(), values_.end(), Column{});
    if (filter_.sparse()) {
      for (size_t i = begin_[quad]; i < begin_[quad + 1]; ++i) {
        values_[entries_[i].column][entries_[i].lane] = entries_[i].value;
      }
      return;
    }
    const auto* const bytes = static_cast<const int8_t*>(filter_.values);
    const size_t row = static_cast<size_t>(of_group_) * taps_;
    for (int o = quad * kQuad; o < std::min(outputs_, quad * kQuad + kQuad); ++o) {
      const size_t first = FirstInput(o);
      for (int t = 0; t < taps_; ++t) {
        const int8_t* const from = bytes + o * row + static_cast<size_t>(t) * of_group_;
        for (int i = 0; i < of_group_; ++i) {
          values_[(first + i) * taps_ + t][o % kQuad] = from[i];
        }
      }
    }
  }

 private:
  struct Entry {
    uint32_t column;
    int8_t lane, value;
  };

  size_t FirstInput(int output) const {
    return static_cast<size_t>(output / outputs_of_group_) * of_group_;
  }

  // Sorts the values of a sparse filter by quads.
  void Bucket() {
    const int last = static_cast<int>(filter_.shape.size()) - 1;
    begin_.assign((outputs_ + kQuad - 1) / kQuad + 1, 0);
    ForEachStored(filter_, [&](const int* at, float) { ++begin_[at[0] / kQuad + 1]; });
    for (size_t q = 1; q < begin_.size(); ++q) begin_[q] += begin_[q - 1];
    entries_.resize(begin_.back());
    std::vector<size_t> next(begin_.begin(), begin_.end() - 1);
    ForEachStored(filter_, [&](const int* at, float value) {
      uint32_t tap = 0;
      for (int d = 1; d < last; ++d) tap = tap * filter_.shape[d] + at[d];
      const auto input = static_cast<uint32_t>(FirstInput(at[0]) + at[last]);
      entries_[next[at[0] / kQuad]++] = {input * taps_ + tap, static_cast<int8_t>(at[0] % kQuad),
                                         static_cast<int8_t>(value)};
    });
  }

  const Constant& filter_;
  const int outputs_, inputs_, taps_;
  const int of_group_, outputs_of_group_;  // inputs and outputs
  std::vector<Column> values_;
  std::vector<size_t> begin_;
  std::vector<Entry> entries_;
};

// Bit l: output l of the quad has a weight there.
unsigned Mask(const QuadReader::Column& column) {
  unsigned mask = 0;
  for (int l = 0; l < kQuad; ++l) mask |= static_cast<unsigned>(column[l] != 0) << l;
  return mask;
}

// The steps of each kind that the filter has, but for those of weights of -128.
struct StepCounts {
  size_t blocks[kInt8GroupKinds] = {}, columns[kInt8GroupKinds] = {};
};

StepCounts CountSteps(QuadReader* reader, int quads) {
  StepCounts counts;
  for (int quad = 0; quad < quads; ++quad) {
    reader->Read(quad);
    size_t found[kInt8GroupKinds][kQuad] = {};  // columns of each group
    for (int i = 0; i < reader->quads_of_inputs(); ++i) {
      for (int t = 0; t < reader->taps(); ++t) {
        unsigned any = 0;
        for (int k = 0; k < kQuad; ++k) {
          const unsigned mask = Mask(reader->at(i * kQuad + k, t));
          any |= mask;
          for (int g = 0; g < kInt8GroupKinds && mask != 0; ++g) {
            const int group = kInt8Groups[g];
            for (int part = 0; part < kQuad / group; ++part) {
              found[g][part] += (mask >> (part * group) & ((1u << group) - 1)) != 0;
            }
          }
        }
        for (int g = 0; g < kInt8GroupKinds && any != 0; ++g) {
          const int group = kInt8Groups[g];
          for (int part = 0; part < kQuad / group; ++part) {
            counts.blocks[g] += (any >> (part * group) & ((1u << group) - 1)) != 0;
          }
        }
      }
    }
    for (int g = 0; g < kInt8GroupKinds; ++g) {
      for (int part = 0; part < kQuad / kInt8Groups[g]; ++part) {
        counts.columns[g] += (found[g][part] + kQuad - 1) / kQuad;
      }
    }
  }
  return counts;
}

// Sets what kind of steps are cheapest. From the widest blocks on: these win a tie.
void ChooseKind(const StepCounts& counts, const Int8Cost& cost, Int8Shape* shape) {
  float least = std::numeric_limits<float>::infinity();
  for (int columns = 0; columns < 2; ++columns) {
    for (int g = kInt8GroupKinds - 1; g >= 0; --g) {
      const float step = columns != 0 ? cost.columns[g] : cost.blocks[g];
      const float all = step * (columns != 0 ? counts.columns[g] : counts.blocks[g]);
      if (step <= 0 || all >= least) continue;
      least = all;
      shape->columns = columns;
      shape->group = kInt8Groups[g];
    }
  }
}

// The steps of a group in the making.
struct Steps {
  std::vector<int8_t> weights;    // [steps][group][4]
  std::vector<uint16_t> indices;  // [steps] or [steps][4]
};

// A block's weights of `group` outputs from `lane` on. Those of -128, of which kernels know none,
// are split.
void AppendBlock(const QuadReader& reader, int quad, int tap, int lane, int group, Steps* steps) {
  using Block = std::array<int8_t, kQuad * kQuad>;  // [group][4]
  Block block, rest;
  bool any = false, split = false;
  for (int o = 0; o < group; ++o) {
    for (int k = 0; k < kQuad; ++k) {
      const int8_t w = reader.at(quad * kQuad + k, tap)[lane + o];
      any |= w != 0;
      split |= w == -128;
      block[o * kQuad + k] = std::max<int8_t>(w, -127);
      rest[o * kQuad + k] = w == -128 ? -1 : 0;
    }
  }
  const auto index = static_cast<uint16_t>(quad * reader.taps() + tap);
  const auto append = [&](const Block& w) {
    steps->weights.insert(steps->weights.end(), w.begin(), w.begin() + group * kQuad);
    steps->indices.push_back(index);
  };
  if (any) append(block);
  if (split) append(rest);
}

// All columns of a group, and zeros that complete its last step.
void AppendColumns(const QuadReader& reader, int lane, int group, Steps* steps) {
  using Values = std::array<int8_t, kQuad>;
  std::vector<std::pair<uint16_t, Values>> found;
  for (size_t c = 0; c < reader.columns().size(); ++c) {
    Values column{}, rest{};
    bool any = false, split = false;
    for (int o = 0; o < group; ++o) {
      const int8_t w = reader.columns()[c][lane + o];
      any |= w != 0;
      split |= w == -128;
      column[o] = std::max<int8_t>(w, -127);
      rest[o] = w == -128 ? -1 : 0;
    }
    if (any) found.emplace_back(static_cast<uint16_t>(c), column);
    if (split) found.emplace_back(static_cast<uint16_t>(c), rest);
  }
  while (found.size() % kQuad != 0) found.emplace_back(found.back().first, Values{});
  for (size_t i = 0; i < found.size(); i += kQuad) {
    for (int o = 0; o < group; ++o) {
      for (int k = 0; k < kQuad; ++k) steps->weights.push_back(found[i + k].second[o]);
    }
    for (int k = 0; k < kQuad; ++k) steps->indices.push_back(found[i + k].first);
  }
}

template <typename T>
void Copy(const std::vector<T>& from, const View<T>& to) {
  std::copy(from.begin(), from.end(), const_cast<T*>(to.data()));
}

}  // namespace

uint64_t Int8Shape::bytes() const {
  return uint64_t{steps} * group * kQuad + uint64_t(lanes()) * (sizeof(int32_t) + sizeof(float)) +
         (uint64_t(groups()) + 1) * sizeof(uint32_t) +
         uint64_t{steps} * indices_of_step() * sizeof(uint16_t);
}

Int8Weights::Int8Weights(const Int8Shape& shape, std::shared_ptr<const void> memory)
    : Int8Shape(shape), storage(std::move(memory)) {
  weights = {static_cast<const int8_t*>(storage.get()), size_t{steps} * group * kQuad};
  bias = {reinterpret_cast<const int32_t*>(weights.end()), static_cast<size_t>(lanes())};
  scale = {reinterpret_cast<const float*>(bias.end()), static_cast<size_t>(lanes())};
  group_begin = {reinterpret_cast<const uint32_t*>(scale.end()), static_cast<size_t>(groups()) + 1};
  indices = {reinterpret_cast<const uint16_t*>(group_begin.end()),
             size_t{steps} * indices_of_step()};
}

bool Plausible(const Int8Shape& s) {
  constexpr int kMost = 1 << 24;
  const bool group = std::find(kInt8Groups, kInt8Groups + kInt8GroupKinds, s.group) !=
                     kInt8Groups + kInt8GroupKinds;
  return s.outputs > 0 && s.outputs <= kMost && s.inputs > 0 && s.inputs <= kMost && s.taps > 0 &&
         s.taps <= 65536 && group && (s.columns == 0 || s.columns == 1) && s.index_end() <= 65536;
}

Status Validate(const Int8Weights& w) {
  if (w.group_begin.front() != 0 || w.group_begin.back() != w.steps) {
    return Status::Error("groups that do not cover the steps");
  }
  for (int g = 0; g < w.groups(); ++g) {
    if (w.group_begin[g] > w.group_begin[g + 1]) return Status::Error("groups out of order");
  }
  uint16_t most = 0;
  for (uint16_t index : w.indices) most = std::max(most, index);
  if (!w.indices.empty() && most >= w.index_end()) {
    return Status::Error("an index that is not there");
  }
  if (std::find(w.weights.begin(), w.weights.end(), -128) != w.weights.end()) {
    return Status::Error("a weight of -128");
  }
  return Status();
}

Status Pack(const Constant& filter, const Int8Outputs& outputs, const Int8Cost& cost,
            Int8Weights* packed) {
  if (filter.shape.size() < 2) return Status::Error("a filter has at least 2 dimensions");
  if (filter.type != ElementType::kInt8) {
    return Status::Error(std::string("expected a filter of int8, found ") + NameOf(filter.type));
  }
  Int8Shape shape;
  shape.outputs = filter.shape.front();
  int64_t taps = 1;
  for (size_t d = 1; d + 1 < filter.shape.size(); ++d) taps *= filter.shape[d];
  const int64_t inputs = int64_t{filter.shape.back()} * outputs.groups;
  if (taps * inputs > (1 << 24)) return Status::Error("a filter of too many inputs");
  if (shape.outputs % outputs.groups != 0) return Status::Error("outputs in unequal groups");
  shape.inputs = static_cast<int32_t>(inputs);
  shape.taps = static_cast<int>(taps);

  QuadReader reader(filter, shape, outputs.groups);
  ChooseKind(CountSteps(&reader, shape.quads()), cost, &shape);
  if (shape.index_end() > 65536) {
    return Status::Error("a filter of " + std::to_string(shape.index_end()) +
                         " inputs and taps is more than the 65536 that 16 bits can name");
  }
  Steps steps;
  std::vector<uint32_t> group_begin = {0};
  std::vector<int32_t> bias(shape.lanes(), 0);
  std::vector<float> scale(shape.lanes(), 0.0f);
  std::copy(outputs.scale.begin(), outputs.scale.end(), scale.begin());
  for (int quad = 0; quad < shape.quads(); ++quad) {
    reader.Read(quad);
    for (int lane = 0; lane < kQuad; lane += shape.group) {
      if (shape.columns != 0) {
        AppendColumns(reader, lane, shape.group, &steps);
      } else {
        for (int i = 0; i < reader.quads_of_inputs(); ++i) {
          for (int t = 0; t < shape.taps; ++t) {
            AppendBlock(reader, i, t, lane, shape.group, &steps);
          }
        }
      }
      group_begin.push_back(static_cast<uint32_t>(steps.indices.size() / shape.indices_of_step()));
    }
    for (int o = quad * kQuad; o < std::min(shape.outputs, quad * kQuad + kQuad); ++o) {
      int32_t sum = 0;
      for (const QuadReader::Column& column : reader.columns()) sum += column[o % kQuad];
      // (As kernels do, modulo 2^32.)
      bias[o] = static_cast<int32_t>(static_cast<uint32_t>(outputs.bias[o]) -
                                     static_cast<uint32_t>(sum) *
                                         static_cast<uint32_t>(outputs.input_offset));
    }
  }
  shape.steps = group_begin.back();
  const size_t bytes = shape.bytes();
  void* const memory = AllocateAligned(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  Int8Weights p(shape, std::shared_ptr<void>(memory, [bytes](void* m) { FreeAligned(m, bytes); }));
  Copy(steps.weights, p.weights);
  Copy(bias, p.bias);
  Copy(scale, p.scale);
  Copy(group_begin, p.group_begin);
  Copy(steps.indices, p.indices);
  *packed = std::move(p);
  return Status();
}

}  // namespace sbnn
