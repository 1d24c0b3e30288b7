// Threads of WebAssembly: web workers that share the module's memory. Whoever instantiates the
// module starts them; each enters here, and never leaves.
#include <algorithm>
#include <atomic>
#include <cstdint>

#include "delegate/engine/task_shares.h"
#include "delegate/engine/thread_pool.h"

namespace sbnn {
namespace {

constexpr int kMostThreads = 16;

// Some tens of microseconds, as long as an operator that runs on one thread takes.
constexpr int kSpins = 20000;

struct Pool {
  TaskShares shares{kMostThreads};
  alignas(64) std::atomic<int32_t> calls{0};
  std::atomic<int> sleepers{0};
  std::atomic<int> workers{1};  // the caller among them
};

// Made when the module is, before there are others who could want it.
Pool pool;

}  // namespace

struct Job {
  int threads;
};

Team::Team(int threads) {
  job_ = std::make_unique<Job>(Job{std::max(1, std::min(threads, pool.workers.load()))});
}

Team::~Team() = default;

int Team::size() const { return job_->threads; }

void Team::RunAll(int tasks, const std::function<void(int, int)>& fn) {
  if (size() == 1 || tasks <= 1) {
    for (int t = 0; t < tasks; ++t) fn(t, 0);
    return;
  }
  pool.shares.Deal(tasks, size(), fn);
  pool.calls.fetch_add(1);
  if (pool.sleepers.load() > 0) {
    __builtin_wasm_memory_atomic_notify(reinterpret_cast<int32_t*>(&pool.calls), kMostThreads);
  }
  pool.shares.Work(0);
  // (The page's main thread may not sleep.)
  while (!pool.shares.done()) {
  }
}

}  // namespace sbnn

extern "C" {

// Of a new instance of the module on the same memory, with a stack of its own. Does not return.
__attribute__((export_name("sbnn_worker"))) void sbnn_worker() {
  using sbnn::pool;
  int32_t last = pool.calls.load();
  const int worker = pool.workers.fetch_add(1);
  for (;;) {
    const auto idle = [&] { return pool.calls.load() == last; };
    for (int spins = 0; spins < sbnn::kSpins && idle(); ++spins) {
    }
    while (idle()) {
      pool.sleepers.fetch_add(1);
      __builtin_wasm_memory_atomic_wait32(reinterpret_cast<int32_t*>(&pool.calls), last, -1);
      pool.sleepers.fetch_sub(1);
    }
    last = pool.calls.load();
    pool.shares.Work(worker);
  }
}

// Threads that are ready, the caller among them.
__attribute__((export_name("sbnn_workers"))) int sbnn_workers() {
  return sbnn::pool.workers.load();
}

}  // extern "C"
