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

// Some tens of microseconds, in which the next part of a model, or the next image, often follows:
// to wake a thread takes as long.
constexpr int kSpinsBetweenJobs = 1000;

}  // namespace

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

struct Job {
  explicit Job(int threads) : shares(threads) {}

  std::vector<Share> shares;  // of each worker, and of those that were not to be had
  alignas(64) std::atomic<int> done{0};
  alignas(64) std::atomic<uint32_t> calls{0};
  std::atomic<int> sleepers{0};
  std::atomic<bool> over{false};
  const std::function<void(int, int)>* fn = nullptr;
  std::mutex mutex;
  std::condition_variable wake;

  // Works until no task is left.
  void Work(int worker) {
    const int threads = static_cast<int>(shares.size());
    int finished = 0;
    for (int other = 0; other < threads; ++other) {
      Share& share = shares[(worker + other) % threads];
      // `fn` belongs to this task: the caller waits for it before it changes anything.
      for (int task; (task = share.Take(other == 0)) >= 0; ++finished) (*fn)(task, worker);
    }
    if (finished > 0) done.fetch_add(finished, std::memory_order_release);
  }

  void HelperLoop(int worker) {
    while (!over.load(std::memory_order_acquire)) {
      const uint32_t call = calls.load(std::memory_order_acquire);
      Work(worker);
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

void Team::Run(int tasks, const std::function<void(int, int)>& fn) {
  if (helpers_.empty() || tasks <= 1) {
    for (int t = 0; t < tasks; ++t) fn(t, 0);
    return;
  }
  job_->fn = &fn;
  job_->done.store(0, std::memory_order_relaxed);
  const uint64_t count = tasks, threads = size();
  for (uint64_t i = 0; i < threads; ++i) {
    job_->shares[i].Set(static_cast<uint32_t>(count * i / threads),
                        static_cast<uint32_t>(count * (i + 1) / threads));
  }
  job_->calls.fetch_add(1);
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
