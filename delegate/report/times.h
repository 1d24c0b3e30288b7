// What a profile keeps of one thing's times.
#ifndef SBNN_DELEGATE_REPORT_TIMES_H_
#define SBNN_DELEGATE_REPORT_TIMES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/report/records.h"

namespace sbnn {

class Times {
 public:
  static constexpr size_t kMedianOf = 1000;  // latest times: a program may run for days

  void Add(double seconds);
  Runs Summary() const;  // NaN before the first time

 private:
  int64_t count_ = 0;
  double least_ = 0;
  std::vector<double> latest_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_REPORT_TIMES_H_
