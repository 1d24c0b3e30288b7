#include "delegate/report/times.h"

#include <algorithm>
#include <limits>

namespace sbnn {

void Times::Add(double seconds) {
  least_ = count_ == 0 ? seconds : std::min(least_, seconds);
  if (latest_.size() < kMedianOf) {
    latest_.push_back(seconds);
  } else {
    latest_[static_cast<size_t>(count_) % kMedianOf] = seconds;
  }
  ++count_;
}

Runs Times::Summary() const {
  if (count_ == 0) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    return {0, kNone, kNone};
  }
  std::vector<double> sorted = latest_;
  std::sort(sorted.begin(), sorted.end());
  const size_t half = sorted.size() / 2;
  const double median =
      sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  return {count_, least_, median};
}

}  // namespace sbnn
