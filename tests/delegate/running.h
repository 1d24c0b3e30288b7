// Running networks of the engine against expected arrays.
#ifndef SBNN_TESTS_DELEGATE_RUNNING_H_
#define SBNN_TESTS_DELEGATE_RUNNING_H_

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "tests/delegate/random.h"
#include "tests/delegate/reference.h"

namespace sbnn {

inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Fewer where the processor is emulated.
#if defined(__x86_64__)
inline constexpr int kRounds = 150;
inline const std::vector<int> kThreads = {1, 2, 4};
#else
inline constexpr int kRounds = 25;
inline const std::vector<int> kThreads = {1, 2};
#endif

inline Array RandomArray(const Shape& shape, Random* random) {
  return Array(shape, random->Floats(ElementCount(shape)));
}

// Prepares and runs. First on NaN, so that nothing of an earlier run may be left in the second.
// The caller's arrays end at unmapped pages.
std::vector<Array> RunNetwork(Network* network, const std::vector<Array>& inputs, size_t outputs,
                              const Kernels& kernels, int threads, bool allow_fp16 = false);

// Equal, NaN to NaN.
void ExpectSame(const Array& found, const Array& want);

// As near as float16 can be: 11 bits, of which sums of many lose some.
void ExpectNear(const Array& found, const Array& want);

// On every instruction set and number of threads, in one and the same Network.
void ExpectEverywhere(Network* network, const std::vector<Array>& inputs,
                      const std::vector<Array>& want);
void ExpectEverywhere(std::unique_ptr<Op> op, const Array& input, const Array& want);

// Of the steps of the last Prepare.
std::vector<std::string> Labels(const Network& network);

// Why a network of one operator can't be prepared; empty: it can.
std::string Refusal(std::unique_ptr<Op> op, const Shape& shape);

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_RUNNING_H_
