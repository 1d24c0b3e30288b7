#include "delegate/engine/network.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include "delegate/engine/layout.h"
#include "delegate/engine/ops/activation.h"
#include "delegate/engine/ops/binary.h"
#include "delegate/engine/ops/convert.h"
#include "delegate/engine/ops/pad.h"

namespace sbnn {
namespace {

// Memory of the arena is fetched ahead in parts of so many bytes.
constexpr uint64_t kArenaPart = 4096;

// A damaged file may ask for any size; offsets and task numbers are sure to fit below this. (Planes
// of few pixels take up to 16 times their elements.)
constexpr int kMaxElementBits = sizeof(size_t) == 8 ? 31 : 26;

Status CheckShape(const Shape& shape) {
  uint64_t count = 1;
  for (int d : shape) {
    if (d < 0) return Status::Error("a tensor has a dimension of " + std::to_string(d));
    count *= static_cast<uint64_t>(d);
    if (count > uint64_t{1} << kMaxElementBits) {
      return Status::Error("a tensor has more than 2^" + std::to_string(kMaxElementBits) +
                           " elements");
    }
  }
  return Status();
}

}  // namespace

void Network::AddOp(std::unique_ptr<Op> op, std::vector<int> inputs, int output,
                    std::string label) {
  for (int t : inputs) tensor_count_ = std::max(tensor_count_, t + 1);
  tensor_count_ = std::max(tensor_count_, output + 1);
  Node node;
  node.op = std::move(op);
  node.inputs = std::move(inputs);
  node.output = output;
  node.ops = {static_cast<int>(labels_.size())};
  labels_.push_back(std::move(label));
  nodes_.push_back(std::move(node));
}

std::vector<Network::StepInfo> Network::Steps() const {
  std::vector<StepInfo> infos;
  const auto add = [&](const Step& step, const Op& op, const std::vector<int>& ops) {
    StepInfo info{ops, ops.empty() ? "conversion" : "", !ops.empty() && step.kernels != kernels_,
                  op.Remark()};
    for (int i : ops) info.label += (i == ops.front() ? "" : " + ") + labels_[i];
    infos.push_back(std::move(info));
  };
  for (const Step& step : steps_) {
    if (step.chain == nullptr) {
      add(step, *step.op, step.ops);
    } else {
      for (const Chain::Link& link : step.chain->links()) add(step, *link.op, link.ops);
    }
  }
  return infos;
}

std::vector<std::string> Network::labels() const {
  std::vector<std::string> labels;
  for (StepInfo& step : Steps()) labels.push_back(std::move(step.label));
  return labels;
}

std::ptrdiff_t Network::Uses(int tensor) const {
  std::ptrdiff_t uses = 0;
  for (const Node& node : nodes_)
    uses += std::count(node.inputs.begin(), node.inputs.end(), tensor);
  return uses;
}

std::ptrdiff_t Network::StepUses(int tensor) const {
  std::ptrdiff_t uses = 0;
  for (const Step& step : steps_)
    uses += std::count(step.inputs.begin(), step.inputs.end(), tensor);
  return uses;
}

bool Network::IsOutput(int tensor) const {
  return std::find(outputs_.begin(), outputs_.end(), tensor) != outputs_.end();
}

// Hands the zeros of a PAD to the operator that reads it, if there is just one and it can take
// them.
void Network::AbsorbMargins() {
  for (size_t p = 0; p < nodes_.size();) {
    const auto* pad = dynamic_cast<const Pad*>(nodes_[p].op.get());
    const int padded = nodes_[p].output;
    Margin margin;
    const bool inner = pad != nullptr && pad->ToMargin(&margin) && !IsOutput(padded);
    int consumers = 0;
    Node* consumer = nullptr;
    for (Node& node : nodes_) {
      if (std::find(node.inputs.begin(), node.inputs.end(), padded) == node.inputs.end()) continue;
      consumer = &node;
      ++consumers;
    }
    if (!inner || consumers != 1 || !consumer->op->AbsorbMargin(margin)) {
      ++p;
      continue;
    }
    std::replace(consumer->inputs.begin(), consumer->inputs.end(), padded, nodes_[p].inputs[0]);
    nodes_.erase(nodes_.begin() + p);
  }
}

// Makes one operator of each pair of x -> logistic(x) -> x * logistic(x).
void Network::MakeSwishes() {
  for (size_t m = 0; m < nodes_.size(); ++m) {
    const auto* product = dynamic_cast<const Binary*>(nodes_[m].op.get());
    if (product == nullptr || !product->IsProduct() || nodes_[m].inputs.size() != 2) continue;
    for (size_t l = 0; l < m; ++l) {
      const auto* logistic = dynamic_cast<const Activation*>(nodes_[l].op.get());
      if (logistic == nullptr || logistic->kind() != UnaryKind::kLogistic) continue;
      const int x = nodes_[l].inputs[0], gate = nodes_[l].output;
      std::vector<int>& factors = nodes_[m].inputs;
      if (!(factors == std::vector<int>{x, gate} || factors == std::vector<int>{gate, x}) ||
          IsOutput(gate) || Uses(gate) != 1) {
        continue;
      }
      nodes_[m].op = std::make_unique<Activation>(UnaryKind::kSwish);
      nodes_[m].ops.insert(nodes_[m].ops.begin(), nodes_[l].ops.begin(), nodes_[l].ops.end());
      factors = {x};
      nodes_.erase(nodes_.begin() + static_cast<std::ptrdiff_t>(l));
      --m;
      break;
    }
  }
}

// Lets operators do as an epilogue what the only reader of their output does, for the shapes at
// hand: each saves a pass over memory.
void Network::MakeSteps() {
  steps_.clear();
  for (const Node& node : nodes_) {
    if (node.op->OnShapes()) continue;
    steps_.push_back({node.op.get(), node.inputs, node.output, node.ops});
  }
  for (size_t reader = 0; reader < steps_.size();) {
    std::vector<Shape> shapes;
    for (int t : steps_[reader].inputs) shapes.push_back(shapes_[t]);
    Epilogue epilogue;
    bool fused = false;
    if (steps_[reader].op->AsEpilogue(shapes, &epilogue)) {
      // The operand computed last has the fewest others waiting in memory for it.
      for (size_t back = reader; back-- > 0 && !fused;) {
        const std::vector<int>& operands = steps_[reader].inputs;
        const int made = steps_[back].output;
        if (std::find(operands.begin(), operands.end(), made) == operands.end()) continue;
        fused = FuseInto(reader, back, epilogue);
      }
    }
    if (!fused) ++reader;
  }
}

// Makes the step `reader` an epilogue of the step `maker` if it may be one.
bool Network::FuseInto(size_t reader, size_t maker, const Epilogue& epilogue) {
  const int between = steps_[maker].output;
  if (IsOutput(between)) return false;
  Step fused = steps_[maker];
  if (StepUses(between) != 1 || !fused.epilogue.Then(epilogue) || !fused.op->Takes(fused.epilogue))
    return false;
  for (int t : steps_[reader].inputs) {
    if (t != between) fused.inputs.push_back(t);
  }
  fused.output = steps_[reader].output;
  fused.ops.insert(fused.ops.end(), steps_[reader].ops.begin(), steps_[reader].ops.end());
  // Where the reader stood all its operands are there.
  steps_[reader] = std::move(fused);
  steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(maker));
  return true;
}

// Lets convolutions take over the products of their inputs' channels with factors, as in
// squeeze-and-excitation (Hu et al., "Squeeze-and-Excitation Networks", 2018).
void Network::FoldGates() {
  for (size_t p = 0; p < steps_.size(); ++p) {
    const auto* product = dynamic_cast<const Binary*>(steps_[p].op);
    const std::vector<int> factors = steps_[p].inputs;
    const int gated = steps_[p].output;
    std::vector<Shape> shapes;
    for (int t : factors) shapes.push_back(shapes_[t]);
    size_t images = 0;
    if (product == nullptr || !product->IsGate(shapes, &images)) continue;
    if (IsOutput(gated) || StepUses(gated) != 1) continue;
    const auto reader = std::find_if(steps_.begin() + static_cast<std::ptrdiff_t>(p), steps_.end(),
                                     [&](const Step& s) { return s.inputs[0] == gated; });
    if (reader == steps_.end() || !reader->op->TakesGate(shapes_[gated])) continue;
    reader->inputs[0] = factors[images];
    reader->inputs.insert(reader->inputs.begin() + 1, factors[1 - images]);
    reader->ops.insert(reader->ops.begin(), steps_[p].ops.begin(), steps_[p].ops.end());
    steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(p));
    --p;
  }
}

// Decides which steps compute in halves, and puts a conversion wherever a tensor is made in one
// type and read in the other. Inputs and outputs of the network are floats.
void Network::ChooseTypes(const Kernels* halves) {
  constexpr int kFloat = sizeof(float), kHalf = sizeof(Half);
  if (convert_ == nullptr) convert_ = std::make_unique<Convert>();
  element_bytes_.assign(shapes_.size(), kFloat);
  std::vector<int> other(shapes_.size(), -1);  // the tensor that holds the same in the other type
  std::vector<Step> steps;
  const auto as = [&](int tensor, int bytes) {
    if (element_bytes_[tensor] == bytes) return tensor;
    if (other[tensor] < 0) {
      other[tensor] = static_cast<int>(shapes_.size());
      steps.push_back({convert_.get(), {tensor}, other[tensor], {}});
      steps.back().kernels = halves;
      shapes_.push_back(shapes_[tensor]);
      element_bytes_.push_back(bytes);
      other.push_back(tensor);
    }
    return other[tensor];
  };
  for (Step& step : steps_) {
    std::vector<Shape> shapes;
    for (int t : step.inputs) shapes.push_back(shapes_[t]);
    const Halves takes = halves == nullptr ? Halves::kNever : step.op->TakesHalves(shapes);
    const bool given = std::any_of(step.inputs.begin(), step.inputs.end(),
                                   [&](int t) { return element_bytes_[t] == kHalf; });
    const bool half = takes == Halves::kAsksFor || (takes == Halves::kIfGiven && given);
    step.kernels = half ? halves : kernels_;
    for (int& t : step.inputs) t = as(t, half ? kHalf : kFloat);
    element_bytes_[step.output] = half ? kHalf : kFloat;
    steps.push_back(std::move(step));
  }
  results_.clear();
  for (int t : outputs_) results_.push_back(as(t, kFloat));
  steps_ = std::move(steps);
}

// Whether `reader` may take the output of `maker` a few rows at a time, and should.
bool Network::HandsOnRows(const Step& maker, const Step& reader) const {
  const int between = maker.output;
  const Shape& shape = shapes_[between];
  const uint64_t bytes = uint64_t{ElementCount(shape)} * element_bytes_[between];
  if (bytes <= cache_bytes_ || reader.inputs[0] != between || maker.kernels != reader.kernels ||
      LayoutOf(shape) != Layout::kPanel || LayoutOf(shapes_[reader.output]) != Layout::kPanel ||
      // What is added is laid out as the output; a gate is for whole images.
      maker.inputs.size() > 1 || reader.inputs.size() > 1u + reader.epilogue.add ||
      std::find(results_.begin(), results_.end(), between) != results_.end()) {
    return false;
  }
  return StepUses(between) == 1 && maker.op->RunsByRows({shapes_[maker.inputs[0]]}) &&
         reader.op->RunsByRows({shape});
}

void Network::MakeChains() {
  const auto link = [this](const Step& step) {
    return Chain::Link{step.op,
                       step.epilogue,
                       shapes_[step.inputs[0]],
                       shapes_[step.output],
                       element_bytes_[step.output],
                       step.ops};
  };
  std::vector<Step> steps;
  for (size_t first = 0, end; first < steps_.size(); first = end) {
    std::vector<Chain::Link> links = {link(steps_[first])};
    for (end = first + 1; end < steps_.size(); ++end) {
      if (!HandsOnRows(steps_[end - 1], steps_[end])) break;
      links.push_back(link(steps_[end]));
      if (Chain::Fits(links, cache_bytes_)) continue;
      links.pop_back();
      break;
    }
    Step step = steps_[first];
    if (links.size() > 1) {
      const Step& last = steps_[end - 1];
      step.chain = std::make_shared<Chain>(std::move(links), cache_bytes_);
      step.op = step.chain.get();
      step.epilogue = last.epilogue;
      step.inputs.insert(step.inputs.end(), last.inputs.begin() + 1, last.inputs.end());
      step.output = last.output;
    }
    steps.push_back(std::move(step));
  }
  steps_ = std::move(steps);
}

Layout Network::InputLayout(int tensor, const Shape& shape) const {
  for (const Step& step : steps_) {
    if (std::find(step.inputs.begin(), step.inputs.end(), tensor) == step.inputs.end()) continue;
    if (step.op == convert_.get()) {
      if (InputLayout(step.output, shape) == Layout::kFlat) continue;
      return LayoutOf(shape);
    }
    const bool added = step.epilogue.add && step.inputs.back() == tensor;
    if (added || !step.op->TakesFlatImages(shape)) return LayoutOf(shape);
  }
  return Layout::kFlat;
}

Status Network::InferShapes(const std::vector<Shape>& input_shapes) {
  shapes_.assign(tensor_count_, Shape());
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Status status = CheckShape(input_shapes[i]);
    if (!status.ok()) return status;
    shapes_[inputs_[i]] = input_shapes[i];
  }
  for (const Node& node : nodes_) {
    std::vector<Shape> in;
    for (int t : node.inputs) in.push_back(shapes_[t]);
    Shape out;
    Status status = node.op->InferShape(in, &out);
    if (status.ok() && !node.op->OnShapes()) status = CheckShape(out);
    if (!status.ok()) return status;
    shapes_[node.output] = std::move(out);
  }
  return Status();
}

bool Network::IsEmpty(int tensor) const { return ElementCount(shapes_[tensor]) == 0; }

// For each tensor, the one whose memory it uses: itself, or an input that its operator overwrites.
// Extends the life of that one in `last_use`.
std::vector<int> Network::ShareBuffers(std::vector<int>* last_use) const {
  std::vector<int> owner(tensors_.size());
  std::iota(owner.begin(), owner.end(), 0);
  for (int n = 0; n < static_cast<int>(steps_.size()); ++n) {
    const Step& step = steps_[n];
    for (int t : step.inputs) {
      const Tensor &input = tensors_[t], &output = tensors_[step.output];
      const bool outside = input.layout == Layout::kFlat &&
                           std::find(inputs_.begin(), inputs_.end(), owner[t]) != inputs_.end();
      if (outside || (*last_use)[t] != n || owner[step.output] != step.output) continue;
      if (input.allocation() != output.allocation() ||
          !step.op->MayOverwrite(input, output, threads_)) {
        continue;
      }
      owner[step.output] = owner[t];
      (*last_use)[owner[t]] = (*last_use)[step.output];
    }
  }
  return owner;
}

// Decides layouts, plans every operator and gives tensors and scratch their memory.
Status Network::PlaceTensors() {
  const int last = static_cast<int>(steps_.size()), count = static_cast<int>(shapes_.size());
  tensors_.assign(count, Tensor());
  std::vector<int> first_use(count, -1), last_use(count, -1);
  for (int t : inputs_) {
    tensors_[t] = Tensor(shapes_[t], InputLayout(t, shapes_[t]));
    first_use[t] = 0;
  }
  for (int n = 0; n < last; ++n) {
    const int out = steps_[n].output;
    const bool converted = steps_[n].op == convert_.get();
    const Layout layout = converted ? tensors_[steps_[n].inputs[0]].layout : LayoutOf(shapes_[out]);
    tensors_[out] = Tensor(shapes_[out], layout, element_bytes_[out]);
    first_use[out] = n;
    last_use[out] = n;
    for (int t : steps_[n].inputs) last_use[t] = n;
  }
  for (int t : results_) last_use[t] = last;

  const std::vector<int> owner = ShareBuffers(&last_use);
  std::vector<Lifetime> lifetimes;
  std::vector<int> owners;  // tensor, or -1 - node for scratch
  for (int t = 0; t < count; ++t) {
    // Whole numbers take no room.
    if (first_use[t] < 0 || last_use[t] < 0 || owner[t] != t) continue;
    const bool outside = std::find(inputs_.begin(), inputs_.end(), t) != inputs_.end() &&
                         tensors_[t].layout == Layout::kFlat;
    if (outside) continue;
    lifetimes.push_back({tensors_[t].allocation(), first_use[t], last_use[t]});
    owners.push_back(t);
  }
  for (int n = 0; n < last; ++n) {
    Step& step = steps_[n];
    const PlanContext context{*step.kernels, threads_, step.epilogue};
    step.input_tensors.clear();
    for (int t : step.inputs) step.input_tensors.push_back(&tensors_[t]);
    step.scratch = 0;
    const Status status =
        step.op->Plan(step.input_tensors, tensors_[step.output], context, &step.scratch);
    if (!status.ok()) return status;
    if (step.scratch == 0) continue;
    lifetimes.push_back({step.scratch, n, n});
    owners.push_back(-1 - n);
  }
  const uint64_t floats = PlaceInArena(&lifetimes);
  arena_bytes_ = floats * sizeof(float);
  // Kernels may read up to a vector before a plane.
  if (!arena_.Resize(floats + kMaxLanes)) {
    return Status::Error("no memory for " + std::to_string(arena_bytes_) + " bytes of activations");
  }
  for (size_t i = 0; i < owners.size(); ++i) {
    if (owners[i] >= 0) {
      tensors_[owners[i]].data = arena_.data() + kMaxLanes + lifetimes[i].offset;
    } else {
      steps_[-1 - owners[i]].scratch_offset = lifetimes[i].offset;
    }
  }
  for (int t = 0; t < count; ++t) {
    if (owner[t] != t) tensors_[t].data = tensors_[owner[t]].data;
  }
  PlanAhead(lifetimes);
  return Status();
}

// What each step is the first to use: memory of the arena that no step before it used, and its
// constants.
void Network::PlanAhead(const std::vector<Lifetime>& lifetimes) {
  const char* const arena = reinterpret_cast<const char*>(arena_.data() + kMaxLanes);
  std::vector<char> used(arena_bytes_ / kArenaPart + 1, 0);
  ahead_.Clear();
  for (int n = 0; n < static_cast<int>(steps_.size()); ++n) {
    for (const Lifetime& life : lifetimes) {
      // (With several threads, to write to a line that another one fetched takes longer than to
      // wait for memory.)
      if (life.first != n || threads_ > 1) continue;
      const uint64_t end = (life.offset + life.floats) * sizeof(float);
      for (uint64_t part = life.offset * sizeof(float) / kArenaPart; part * kArenaPart < end;
           ++part) {
        if (!used[part]) ahead_.Add({arena + part * kArenaPart, kArenaPart});
        used[part] = 1;
      }
    }
    for (const Range& constants : steps_[n].op->Constants()) ahead_.Add(constants);
    ahead_.EndStep();
  }
}

Status Network::Prepare(const std::vector<Shape>& input_shapes, const Kernels& kernels, int threads,
                        const Kernels* halves) {
  for (int t : inputs_) tensor_count_ = std::max(tensor_count_, t + 1);
  if (!rewritten_) {
    AbsorbMargins();
    MakeSwishes();
  }
  rewritten_ = true;
  kernels_ = &kernels;
  threads_ = threads;
  const Status status = InferShapes(input_shapes);
  if (!status.ok()) return status;
  empty_ = std::all_of(outputs_.begin(), outputs_.end(), [this](int t) { return IsEmpty(t); });
  if (empty_) return Status();
  for (int t = 0; t < tensor_count_; ++t) {
    if (IsEmpty(t)) return Status::Error("an empty tensor before an output that is not");
  }
  MakeSteps();
  FoldGates();
  ChooseTypes(halves);
  MakeChains();
  return PlaceTensors();
}

void Network::Run(const std::vector<const float*>& inputs, const std::vector<float*>& outputs,
                  std::vector<double>* seconds) {
  if (seconds != nullptr) seconds->clear();
  if (empty_) return;
  Team team(threads_);
  for (size_t i = 0; i < inputs.size(); ++i) {
    Tensor& t = tensors_[inputs_[i]];
    if (t.layout == Layout::kFlat) {
      t.data = const_cast<float*>(inputs[i]);  // operators only read it
    } else {
      FlatToPanel(inputs[i], t, *kernels_, team);
    }
  }
  for (size_t n = 0; n < steps_.size(); ++n) {
    const Step& step = steps_[n];
    ahead_.Begin(n);
    const RunContext context{*step.kernels, team, arena_.data() + kMaxLanes + step.scratch_offset,
                             &ahead_, seconds != nullptr};
    const auto start = std::chrono::steady_clock::now();
    step.op->Run(step.input_tensors, tensors_[step.output], context);
    if (seconds == nullptr) continue;
    const auto end = std::chrono::steady_clock::now();
    const double whole = std::chrono::duration<double>(end - start).count();
    if (step.chain == nullptr) {
      seconds->push_back(whole);
    } else {
      for (double share : step.chain->Shares()) seconds->push_back(share * whole);
    }
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& t = tensors_[results_[i]];
    if (t.layout == Layout::kFlat) {
      std::memcpy(outputs[i], t.data, ElementCount(t.shape) * sizeof(float));
    } else {
      PanelToFlat(t, outputs[i], *kernels_, team);
    }
  }
}

}  // namespace sbnn
