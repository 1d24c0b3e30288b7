// Tasks, dealt out to the threads that work on them.
#ifndef SBNN_DELEGATE_ENGINE_TASK_SHARES_H_
#define SBNN_DELEGATE_ENGINE_TASK_SHARES_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

namespace sbnn {

class TaskShares {
 public:
  explicit TaskShares(int threads) : shares_(threads) {}

  // Tasks [0, tasks) for the first `threads` of the threads. Not before those of the last call are
  // done.
  void Deal(int tasks, int threads, const std::function<void(int, int)>& fn) {
    fn_ = &fn;
    tasks_ = tasks;
    done_.store(0, std::memory_order_relaxed);
    const uint64_t count = tasks;
    for (uint64_t i = 0; i < static_cast<uint64_t>(threads); ++i) {
      shares_[i].Set(static_cast<uint32_t>(count * i / threads),
                     static_cast<uint32_t>(count * (i + 1) / threads));
    }
  }

  // Works until no task is left.
  void Work(int worker) {
    const int threads = static_cast<int>(shares_.size());
    int finished = 0;
    for (int other = 0; other < threads; ++other) {
      Share& share = shares_[(worker + other) % threads];
      // `fn_` belongs to this task: the caller waits for it before it changes anything.
      for (int task; (task = share.Take(other == 0)) >= 0; ++finished) (*fn_)(task, worker);
    }
    if (finished > 0) done_.fetch_add(finished, std::memory_order_release);
  }

  bool done() const { return done_.load(std::memory_order_acquire) >= tasks_; }

 private:
  // The tasks [begin, end) that a thread has yet to do. In one word, so that whoever takes one of
  // them takes it of this call and from nobody else; and in a cache line of its own.
  struct alignas(64) Share {
    std::atomic<uint64_t> word{0};

    static uint32_t Begin(uint64_t w) { return static_cast<uint32_t>(w >> 32); }
    static uint32_t End(uint64_t w) { return static_cast<uint32_t>(w); }

    void Set(uint32_t begin, uint32_t end) {
      word.store(uint64_t{begin} << 32 | end, std::memory_order_release);
    }
    // The first task for the thread itself, the last for others; -1: there is none.
    int Take(bool first) {
      uint64_t w = word.load(std::memory_order_acquire);
      while (Begin(w) < End(w)) {
        const uint64_t rest = first ? w + (uint64_t{1} << 32) : w - 1;
        if (word.compare_exchange_weak(w, rest, std::memory_order_acq_rel)) {
          return static_cast<int>(first ? Begin(w) : End(rest));
        }
      }
      return -1;
    }
  };

  std::vector<Share> shares_;  // of each worker, and of those that were not to be had
  alignas(64) std::atomic<int> done_{0};
  int tasks_ = 0;
  const std::function<void(int, int)>* fn_ = nullptr;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_TASK_SHARES_H_
