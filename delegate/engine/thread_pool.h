// Threads shared by every interpreter of the process.
#ifndef SBNN_DELEGATE_ENGINE_THREAD_POOL_H_
#define SBNN_DELEGATE_ENGINE_THREAD_POOL_H_

#include <functional>
#include <memory>
#include <vector>

namespace sbnn {

class Helper;
struct Job;

// The threads that work on one inference: the caller and as many helpers as were idle, at most
// `threads` in all and never more than the machine has cores. Helpers wait actively between the
// operators of an inference and sleep soon when the team is gone.
class Team {
 public:
  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  // Calls fn(task, worker) once for each task in [0, tasks), from any of the threads in any order;
  // 0 <= worker < size(), and no two calls run at once with the same worker. Returns when all are
  // done. Each thread begins with its share of neighbouring tasks, the same in each call with as
  // many tasks, so that it finds in its own cache what it wrote there; who is done takes over tasks
  // of others, one by one, so that unequal cores finish together.
  template <typename Fn>
  void Run(int tasks, const Fn& fn) {
    // (By reference: what a closure holds would be copied to the heap, which takes longer than
    // small operators do.)
    RunAll(tasks, std::cref(fn));
  }

  int size() const;

 private:
  void RunAll(int tasks, const std::function<void(int task, int worker)>& fn);

  std::unique_ptr<Job> job_;
  std::vector<Helper*> helpers_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_THREAD_POOL_H_
