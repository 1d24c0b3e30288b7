// What several rewrites ask of a TRANSPOSE.
#ifndef SBNN_DELEGATE_ENGINE_REWRITES_EXCHANGES_H_
#define SBNN_DELEGATE_ENGINE_REWRITES_EXCHANGES_H_

#include <numeric>
#include <utility>
#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

// Whether it exchanges the last two dimensions, and no others.
inline bool ExchangesRowsAndColumns(const Op& op) {
  const std::vector<int>* const order = op.AsTranspose();
  if (order == nullptr || order->size() < 2) return false;
  std::vector<int> wanted(order->size());
  std::iota(wanted.begin(), wanted.end(), 0);
  std::swap(wanted.end()[-1], wanted.end()[-2]);
  return *order == wanted;
}

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_REWRITES_EXCHANGES_H_
