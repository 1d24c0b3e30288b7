#include "delegate/engine/op.h"

#include <algorithm>

namespace sbnn {

bool Epilogue::Then(const Epilogue& next) {
  if (activates || (next.add && (add || limits()))) return false;
  add |= next.add;
  lo = std::min(std::max(lo, next.lo), next.hi);
  hi = std::min(std::max(hi, next.lo), next.hi);
  activates = next.activates;
  activation = next.activation;
  alpha = next.alpha;
  return true;
}

}  // namespace sbnn
