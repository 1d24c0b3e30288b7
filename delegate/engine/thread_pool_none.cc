// Where there are no threads: WebAssembly without shared memory.
#include "delegate/engine/thread_pool.h"

namespace sbnn {

struct Job {};

Team::Team(int) {}

Team::~Team() = default;

int Team::size() const { return 1; }

void Team::RunAll(int tasks, const std::function<void(int, int)>& fn) {
  for (int t = 0; t < tasks; ++t) fn(t, 0);
}

}  // namespace sbnn
