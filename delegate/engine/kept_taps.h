// The taps of a depthwise filter that are not zero.
#ifndef SBNN_DELEGATE_ENGINE_KEPT_TAPS_H_
#define SBNN_DELEGATE_ENGINE_KEPT_TAPS_H_

#include <cstdint>
#include <vector>

#include "delegate/engine/window.h"
#include "delegate/kernels/kernels.h"

namespace sbnn {

struct KeptTaps {
  std::vector<uint32_t> begin;  // [channels + 1] the first of each channel
  std::vector<int> tap;         // of the window, row-major
  std::vector<float> values;

  // `filter`: [channels][window_taps].
  KeptTaps(const std::vector<float>& filter, int window_taps);
};

// Where they find their pixels, as DepthwiseTapsArgs has it.
struct TapShifts {
  std::vector<TapShift> of;
  TapShift least{}, most{};
};

// Nothing where a shift may not fit its 16 bits.
TapShifts ShiftsOf(const KeptTaps& kept, const Window& window, const PlacedWindow& placed);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_KEPT_TAPS_H_
