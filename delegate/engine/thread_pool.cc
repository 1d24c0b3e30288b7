#include "delegate/engine/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>

#include "delegate/engine/task_shares.h"

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

// Some tens of microseconds, in which the next part of a model, or the next image, often follows:
// to wake a thread takes as long.
constexpr int kSpinsBetweenJobs = 1000;

}  // namespace

struct Job {
  explicit Job(int threads) : shares(threads) {}

  TaskShares shares;
  alignas(64) std::atomic<uint32_t> calls{0};
  std::atomic<int> sleepers{0};
  std::atomic<bool> over{false};
  std::mutex mutex;
  std::condition_variable wake;

  void HelperLoop(int worker) {
    while (!over.load(std::memory_order_acquire)) {
      const uint32_t call = calls.load(std::memory_order_acquire);
      shares.Work(worker);
      const auto idle = [&] { return calls.load() == call && !over.load(); };
      for (int spins = 0; spins < kSpins && idle(); ++spins) Pause();
      if (!idle()) continue;
      std::unique_lock<std::mutex> lock(mutex);
      sleepers.fetch_add(1);
      wake.wait(lock, [&] { return !idle(); });
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

  // Returns when the helper has left its job, or will not begin it any more.
  void Join() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!working_) job_ = nullptr;
    }
    for (int spins = 0; spins < kSpins && job_ != nullptr; ++spins) Pause();
    std::unique_lock<std::mutex> lock(mutex_);
    left_.wait(lock, [this] { return job_ == nullptr; });
  }

 private:
  void Loop() {
    for (;;) {
      for (int spins = 0; spins < kSpinsBetweenJobs && job_ == nullptr; ++spins) Pause();
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return job_ != nullptr; });
      Job* const job = job_;
      const int worker = worker_;
      working_ = true;
      lock.unlock();
      job->HelperLoop(worker);
      lock.lock();
      working_ = false;
      job_ = nullptr;
      left_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, left_;
  std::atomic<Job*> job_{nullptr};  // changed under the mutex
  int worker_ = 0;
  bool working_ = false;
  std::thread thread_;
};

namespace {

int Cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

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
  const int limit_ = Cores() - 1;
};

}  // namespace

Team::Team(int threads) {
  if (threads <= 1) return;
  job_ = std::make_unique<Job>(std::min(threads, Cores()));
  helpers_ = Pool::Get().Take(threads - 1);
  for (size_t i = 0; i < helpers_.size(); ++i) {
    helpers_[i]->Start(job_.get(), static_cast<int>(i) + 1);
  }
}

Team::~Team() {
  if (helpers_.empty()) return;
  job_->over.store(true);
  job_->Wake();
  for (Helper* helper : helpers_) helper->Join();
  Pool::Get().Return(helpers_);
}

int Team::size() const { return static_cast<int>(helpers_.size()) + 1; }

void Team::RunAll(int tasks, const std::function<void(int, int)>& fn) {
  if (helpers_.empty() || tasks <= 1) {
    for (int t = 0; t < tasks; ++t) fn(t, 0);
    return;
  }
  job_->shares.Deal(tasks, size(), fn);
  job_->calls.fetch_add(1);
  job_->Wake();
  job_->shares.Work(0);
  for (int spins = 0; !job_->shares.done(); ++spins) {
    if (spins < kSpins) {
      Pause();
    } else {
      std::this_thread::yield();  // the helper may have lost its core
    }
  }
}

}  // namespace sbnn
