#include "delegate/engine/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sbnn {
namespace {

void Pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ __volatile__("yield");
#endif
}

// About as long as an operator that runs on one thread takes; then a helper sleeps.
constexpr int kSpins = 4000;

}  // namespace

// What is to be done, in one word so that a helper that comes late can never take a task of one
// call for a task of the next: call number (16 bits), tasks (24), next task (24).
struct Job {
  std::atomic<uint64_t> word{0};
  std::atomic<int> done{0};
  std::atomic<int> sleepers{0};
  std::atomic<bool> over{false};
  const std::function<void(int, int)>* fn = nullptr;
  std::mutex mutex;
  std::condition_variable wake;

  static constexpr uint64_t kField = (1u << 24) - 1;
  static uint64_t Tasks(uint64_t w) { return (w >> 24) & kField; }
  static uint64_t Next(uint64_t w) { return w & kField; }
  static bool HasTask(uint64_t w) { return Next(w) < Tasks(w); }

  // Works until no task is left.
  void Work(int worker) {
    uint64_t w = word.load(std::memory_order_acquire);
    while (HasTask(w)) {
      if (!word.compare_exchange_weak(w, w + 1, std::memory_order_acq_rel)) continue;
      // `fn` belongs to this task: the caller waits for it before it changes anything.
      (*fn)(static_cast<int>(Next(w)), worker);
      done.fetch_add(1, std::memory_order_release);
      w = word.load(std::memory_order_acquire);
    }
  }

  void HelperLoop(int worker) {
    while (!over.load(std::memory_order_acquire)) {
      if (HasTask(word.load(std::memory_order_acquire))) {
        Work(worker);
        continue;
      }
      int spins = 0;
      while (spins < kSpins && !over.load(std::memory_order_relaxed) &&
             !HasTask(word.load(std::memory_order_relaxed))) {
        Pause();
        ++spins;
      }
      if (spins < kSpins) continue;
      std::unique_lock<std::mutex> lock(mutex);
      sleepers.fetch_add(1);
      wake.wait(lock, [this] { return over.load() || HasTask(word.load()); });
      sleepers.fetch_sub(1);
    }
  }

  void Wake() {
    if (sleepers.load() == 0) return;
    std::lock_guard<std::mutex> lock(mutex);
    wake.notify_all();
  }
};

// One thread of the pool. It belongs to one team at a time.
class Helper {
 public:
  Helper() : thread_([this] { Loop(); }) { thread_.detach(); }

  void Start(Job* job, int worker) {
    std::lock_guard<std::mutex> lock(mutex_);
    job_ = job;
    worker_ = worker;
    wake_.notify_one();
  }

  // Returns when the helper has left its job.
  void Join() {
    std::unique_lock<std::mutex> lock(mutex_);
    left_.wait(lock, [this] { return job_ == nullptr; });
  }

 private:
  void Loop() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return job_ != nullptr; });
      Job* const job = job_;
      lock.unlock();
      job->HelperLoop(worker_);
      lock.lock();
      job_ = nullptr;
      left_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, left_;
  Job* job_ = nullptr;
  int worker_ = 0;
  std::thread thread_;
};

namespace {

// Never destroyed: its threads may outlive main().
class Pool {
 public:
  static Pool& Get() {
    static Pool* const pool = new Pool;
    return *pool;
  }

  std::vector<Helper*> Take(int wanted) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::vector<Helper*> taken;
    taken.reserve(wanted);  // from here on no helper can get lost
    while (static_cast<int>(taken.size()) < wanted) {
      if (!idle_.empty()) {
        taken.push_back(idle_.back());
        idle_.pop_back();
      } else if (threads_ < limit_) {
        try {
          idle_.reserve(threads_ + 1);  // what Return needs
          taken.push_back(new Helper);
        } catch (const std::exception&) {
          break;  // no thread to be had: fewer helpers, same result
        }
        ++threads_;
      } else {
        break;
      }
    }
    return taken;
  }

  void Return(const std::vector<Helper*>& helpers) {
    std::lock_guard<std::mutex> lock(mutex_);
    idle_.insert(idle_.end(), helpers.begin(), helpers.end());
  }

 private:
  std::mutex mutex_;
  std::vector<Helper*> idle_;
  int threads_ = 0;
  const int limit_ = std::max(1, static_cast<int>(std::thread::hardware_concurrency())) - 1;
};

}  // namespace

Team::Team(int threads) : job_(new Job) {
  if (threads > 1) helpers_ = Pool::Get().Take(threads - 1);
  for (size_t i = 0; i < helpers_.size(); ++i) {
    helpers_[i]->Start(job_.get(), static_cast<int>(i) + 1);
  }
}

Team::~Team() {
  if (helpers_.empty()) return;
  job_->over.store(true);
  {
    std::lock_guard<std::mutex> lock(job_->mutex);
    job_->wake.notify_all();
  }
  for (Helper* helper : helpers_) helper->Join();
  Pool::Get().Return(helpers_);
}

int Team::size() const { return static_cast<int>(helpers_.size()) + 1; }

void Team::Run(int tasks, const std::function<void(int, int)>& fn) {
  if (helpers_.empty() || tasks <= 1) {
    for (int t = 0; t < tasks; ++t) fn(t, 0);
    return;
  }
  job_->fn = &fn;
  job_->done.store(0, std::memory_order_relaxed);
  const uint64_t call = (job_->word.load(std::memory_order_relaxed) >> 48) + 1;
  job_->word.store((call << 48) | (static_cast<uint64_t>(tasks) << 24));
  job_->Wake();
  job_->Work(0);
  for (int spins = 0; job_->done.load(std::memory_order_acquire) < tasks; ++spins) {
    if (spins < kSpins) {
      Pause();
    } else {
      std::this_thread::yield();  // the helper may have lost its core
    }
  }
}

}  // namespace sbnn
