// Locks, and what goes with them.
#ifndef SBNN_DELEGATE_FORMAT_LOCKS_H_
#define SBNN_DELEGATE_FORMAT_LOCKS_H_

#if !defined(__wasm__)
#include <condition_variable>
#include <mutex>
#include <thread>
#endif

namespace sbnn {

#if defined(__wasm__)

// A module of WebAssembly is called by one thread; if it has others, they only do its tasks. So
// there is nothing to lock, and nobody to wait for.
class Mutex {
 public:
  void lock() {}
  void unlock() {}
};

class Lock {
 public:
  explicit Lock(Mutex&) {}
  ~Lock() {}
};

class Condition {
 public:
  template <typename Predicate>
  void wait(Lock&, const Predicate&) {}
  void notify_all() {}
};

using ThreadId = int;
inline ThreadId ThisThread() { return 0; }

#else

using Mutex = std::mutex;
using Lock = std::unique_lock<std::mutex>;
using Condition = std::condition_variable;
using ThreadId = std::thread::id;
inline ThreadId ThisThread() { return std::this_thread::get_id(); }

#endif

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_LOCKS_H_
