#include "delegate/engine/kept_taps.h"

#include <algorithm>
#include <limits>

namespace sbnn {

KeptTaps::KeptTaps(const std::vector<float>& filter, int window_taps) {
  for (size_t i = 0; i < filter.size(); ++i) {
    const int t = static_cast<int>(i % window_taps);
    if (t == 0) begin.push_back(static_cast<uint32_t>(tap.size()));
    if (filter[i] == 0) continue;
    tap.push_back(t);
    values.push_back(filter[i]);
  }
  begin.push_back(static_cast<uint32_t>(tap.size()));
}

TapShifts ShiftsOf(const KeptTaps& kept, const Window& window, const PlacedWindow& placed) {
  const int64_t reach_h = int64_t{window.kernel_h - 1} * window.dilation_h;
  const int64_t reach_w = int64_t{window.kernel_w - 1} * window.dilation_w;
  TapShifts shifts;
  if (std::max({reach_h, reach_w, int64_t{placed.pad_top}, int64_t{placed.pad_left}}) >
      std::numeric_limits<int16_t>::max()) {
    return shifts;
  }
  for (int tap : kept.tap) {
    const int row = tap / window.kernel_w * window.dilation_h - placed.pad_top;
    const int column = tap % window.kernel_w * window.dilation_w - placed.pad_left;
    const TapShift s{static_cast<int16_t>(row), static_cast<int16_t>(column)};
    if (shifts.of.empty()) shifts.least = shifts.most = s;
    shifts.least = {std::min(shifts.least.row, s.row), std::min(shifts.least.column, s.column)};
    shifts.most = {std::max(shifts.most.row, s.row), std::max(shifts.most.column, s.column)};
    shifts.of.push_back(s);
  }
  return shifts;
}

}  // namespace sbnn
