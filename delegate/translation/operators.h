// What the translation knows of TensorFlow Lite's operators: a row each, in the file under ops/
// that translates it.
#ifndef SBNN_DELEGATE_TRANSLATION_OPERATORS_H_
#define SBNN_DELEGATE_TRANSLATION_OPERATORS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "delegate/format/flatbuffer.h"
#include "delegate/format/status.h"

namespace sbnn {

struct NodeView;
struct Translation;

// What the time of a node goes by.
enum class Work {
  kMove,         // bytes read and written: it goes as fast as memory
  kFunction,     // elements: a function of each that takes more than a few operations
  kPool,         // elements of all windows
  kConvolution,  // multiply-adds of the filter, the second input, as of the next two
  kDepthwise,
  kMatrix,
  kProduct,  // multiply-adds of two inputs' matrices
};

// What the tensors of a node that change from run to run may hold.
enum class Types {
  kFloats,     // float32
  kMoved,      // float32 or quantized: all of them the same
  kQuantized,  // all of float32, of int8 or of uint8
  kConverted,  // float32 or quantized, each for itself
};

struct Operator {
  // `newest` is the version up to which TensorFlow Lite 2.21 registers it. Within these a version
  // says which types a file needs, and that fields of the parameters are set that are zero before.
  // Without `translate` it is claimed with what reads it, see Constants.
  Operator(int builtin_code, int newest, Status (*how)(const NodeView&, Translation*))
      : code(builtin_code), newest_version(newest), translate(how) {}

  // Its parameters in a file: a member of the schema's union BuiltinOptions, which kRead makes the
  // struct of that TensorFlow Lite has in memory. Where a file leaves them out, all are zero, as
  // there. (The schema's defaults are of fields in a table that is there.)
  template <auto kRead>
  Operator Parameters(uint8_t member) const {
    Operator made = *this;
    made.options_type = member;
    made.read = [](const FlatTable& options) -> std::shared_ptr<void> {
      using Params = decltype(kRead(options));
      return std::make_shared<Params>(options ? kRead(options) : Params());
    };
    return made;
  }
  Operator Inputs(int most) const {
    Operator made = *this;
    made.most_inputs = most;
    return made;
  }
  Operator Holds(Types what) const {
    Operator made = *this;
    made.types = what;
    return made;
  }
  // Bit i: input i may be whole numbers that follow from shapes.
  Operator NumbersIn(unsigned inputs) const {
    Operator made = *this;
    made.numbers_in = inputs;
    return made;
  }
  Operator NumbersOut() const {
    Operator made = *this;
    made.numbers_out = true;
    return made;
  }
  Operator ManyOutputs() const {
    Operator made = *this;
    made.many_outputs = true;
    return made;
  }
  Operator Costs(Work what) const {
    Operator made = *this;
    made.work = what;
    return made;
  }

  int code, newest_version;
  Status (*translate)(const NodeView&, Translation*);
  int most_inputs = 1;  // that change from run to run
  Types types = Types::kFloats;
  unsigned numbers_in = 0;
  bool numbers_out = false, many_outputs = false;
  Work work = Work::kMove;
  uint8_t options_type = 0;
  std::shared_ptr<void> (*read)(const FlatTable& options) = nullptr;  // null: it has no parameters
};

// Null: nobody translates it.
const Operator* FindOperator(int builtin_code);

// The struct that TensorFlow Lite has in memory, from a file's table; null where the operator has
// none, or nobody translates it. (`type` is that of the union's member, `options` the member.)
std::shared_ptr<void> ReadParameters(int builtin_code, uint8_t type, const FlatTable& options);

// Fails where nobody here knows what a version means: that of a newer TensorFlow Lite, or of a file
// that is read without one, which would refuse it. (Operators that are not translated have none to
// fail by.)
Status CheckVersion(int builtin_code, int version);

// The files under ops/: one line for each, which has a function NAMEOperators.
#define SBNN_FOR_EACH_FILE_OF_OPERATORS(DO) \
  DO(Activation)                            \
  DO(BatchMatmul)                           \
  DO(Binary)                                \
  DO(Clamp)                                 \
  DO(Concatenation)                         \
  DO(Convert)                               \
  DO(Convolution)                           \
  DO(DepthToSpace)                          \
  DO(Depthwise)                             \
  DO(FullyConnected)                        \
  DO(Mean)                                  \
  DO(Pack)                                  \
  DO(Pad)                                   \
  DO(Pool)                                  \
  DO(Reshape)                               \
  DO(Resize)                                \
  DO(Shape)                                 \
  DO(Softmax)                               \
  DO(Split)                                 \
  DO(SquareRoot)                            \
  DO(StridedSlice)                          \
  DO(Transpose)                             \
  DO(TransposeConvolution)                  \
  DO(Unpack)

#define SBNN_DECLARE(NAME) std::vector<Operator> NAME##Operators();
SBNN_FOR_EACH_FILE_OF_OPERATORS(SBNN_DECLARE)
#undef SBNN_DECLARE

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_OPERATORS_H_
