#include "tests/delegate/file/try_file.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "delegate/file/model.h"
#include "delegate/file/session.h"
#include "delegate/translation/types.h"

namespace sbnn {

Outcome TryFile(const uint8_t* data, size_t size, const Options& options) {
  constexpr size_t kMostElements = size_t{1} << 18;
  // Of exactly this size, so that reading behind it is seen.
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[size]);
  std::copy(data, data + size, copy.get());
  std::unique_ptr<Model> model;
  if (!Model::Read(copy.get(), size, &model).ok()) return Outcome::kDamaged;
  std::unique_ptr<Session> session;
  if (!Session::Make(model.get(), 0, options, &session).ok()) return Outcome::kRefused;
  const Subgraph& graph = model->subgraph(0);
  std::vector<Shape> shapes;
  // Room for elements of any type.
  std::vector<std::vector<float>> inputs, outputs;
  for (int t : graph.inputs()) {
    const TfLiteIntArray& dims = *graph.tensor(t).dims;
    shapes.emplace_back(dims.data, dims.data + dims.size);
    if (ElementCount(shapes.back()) > kMostElements) return Outcome::kNotPlanned;
    inputs.emplace_back(ElementCount(shapes.back()), 0.5f);
  }
  if (!session->Prepare(shapes).ok()) return Outcome::kNotPlanned;
  if (session->activation_bytes() > 4 * kMostElements) return Outcome::kNotPlanned;
  std::vector<ConstTensorView> read;
  std::vector<TensorView> written;
  for (size_t i = 0; i < inputs.size(); ++i) {
    ElementType type = ElementType::kFloat32;
    ElementTypeOf(graph.tensor(graph.inputs()[i]).type, &type);
    read.emplace_back(inputs[i].data(), type);
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    outputs.emplace_back(ElementCount(session->output_shape(i)));
    written.emplace_back(outputs[i].data(), session->output_type(i));
  }
  if (!session->Run(read, written).ok()) std::abort();
  return Outcome::kRan;
}

}  // namespace sbnn
