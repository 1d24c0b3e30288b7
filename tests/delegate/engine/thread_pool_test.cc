#include "delegate/engine/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace sbnn {
namespace {

// Runs `tasks` tasks and checks what the header promises of them.
void RunAndCheck(Team* team, int tasks) {
  const int size = team->size();
  std::vector<std::atomic<int>> runs(tasks), busy(size);
  std::atomic<int> strange{0}, together{0};
  std::atomic<int> running{0};
  team->Run(tasks, [&](int task, int worker) {
    ++running;
    if (task < 0 || task >= tasks || worker < 0 || worker >= size) {
      ++strange;
    } else {
      if (busy[worker].fetch_add(1) != 0) ++together;
      ++runs[task];
      busy[worker].fetch_sub(1);
    }
    --running;
  });
  EXPECT_EQ(running.load(), 0) << "tasks run after Run";
  EXPECT_EQ(strange.load(), 0) << "a task or a worker that does not exist";
  EXPECT_EQ(together.load(), 0) << "one worker twice at a time";
  EXPECT_TRUE(std::all_of(runs.begin(), runs.end(), [](const auto& n) { return n == 1; }))
      << "not every task ran once";
}

TEST(Team, EveryTaskOnce) {
  for (int threads : {1, 2, 3, 4, 16}) {
    Team team(threads);
    EXPECT_GE(team.size(), 1);
    EXPECT_LE(team.size(), threads);
    EXPECT_LE(team.size(), std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
    for (int tasks : {0, 1, 2, 3, 7, 100, 1000}) RunAndCheck(&team, tasks);
  }
}

TEST(Team, ThousandsOfCalls) {
  Team team(4);
  for (int call = 0; call < 5000; ++call) RunAndCheck(&team, 1 + call % 9);
}

// What a task writes is seen by the caller, and what the caller writes by the tasks, without more.
TEST(Team, CallsSeeEachOther) {
  Team team(4);
  std::vector<int> a(64, 0), b(64, 0);
  for (int call = 1; call <= 2000; ++call) {
    team.Run(64, [&](int task, int) { a[task] = b[63 - task] + 1; });
    team.Run(64, [&](int task, int) { b[task] = a[63 - task]; });
    ASSERT_TRUE(std::all_of(b.begin(), b.end(), [&](int v) { return v == call; }));
  }
}

// Helpers that went to sleep are woken.
TEST(Team, AfterAPause) {
  Team team(4);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    RunAndCheck(&team, 50);
  }
}

// Tasks of very unequal length.
TEST(Team, UnequalTasks) {
  Team team(2);
  std::atomic<int> done{0};
  team.Run(5, [&](int task, int) {
    if (task == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ++done;
  });
  EXPECT_EQ(done.load(), 5);
}

// A core that is much slower than the others, such as a little one beside a big one, holds up
// nobody: whoever takes the first task keeps it until all others are done.
TEST(Team, ASlowCoreTakesFewTasks) {
  Team team(2);
  if (team.size() < 2) GTEST_SKIP() << "one core";
  constexpr int kTasks = 200;
  const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  std::atomic<int> done{0};
  std::atomic<bool> others_done{false};
  team.Run(kTasks, [&](int task, int) {
    while (task == 0 && done < kTasks - 1 && std::chrono::steady_clock::now() < patience) {
      std::this_thread::yield();
    }
    if (task == 0) others_done = done == kTasks - 1;
    ++done;
  });
  EXPECT_TRUE(others_done) << "tasks waited for a busy thread";
}

TEST(Team, ManyAtOnce) {
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([caller] {
      for (int round = 0; round < 60; ++round) {
        Team team(1 + (caller + round) % 4);
        for (int call = 0; call < 10; ++call) RunAndCheck(&team, (caller * 7 + call) % 20);
      }
    });
  }
  for (std::thread& t : callers) t.join();
}

// Helpers come back: the pool does not run dry, or grow, however many teams come and go.
TEST(Team, HelpersComeBack) {
  const int size = Team(64).size();
  for (int round = 0; round < 200; ++round) {
    Team team(64);
    ASSERT_EQ(team.size(), size);
    if (round % 3 == 0) RunAndCheck(&team, 10);
  }
  // Those that another team holds are not to be had; a team without helpers works all the same.
  Team all(64);
  Team none(64);
  EXPECT_EQ(none.size(), 1);
  RunAndCheck(&none, 20);
  RunAndCheck(&all, 20);
}

// Threads of this process, as the system counts them.
int Threads() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int count = 0;
    if (word == "Threads:" && status >> count) return count;
  }
  return 0;
}

// However many teams are at work, there are the callers and a helper for each other core.
TEST(Team, NoMoreThreadsThanCoresAndCallers) {
  constexpr int kCallers = 6;
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int before = Threads();  // some of the helpers among them
  std::atomic<int> most{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        Team team(cores + 3);
        team.Run(10, [&](int, int) {
          int seen = most.load();
          const int now = Threads();
          while (seen < now && !most.compare_exchange_weak(seen, now)) {
          }
        });
      }
    });
  }
  for (std::thread& t : callers) t.join();
  EXPECT_LE(most.load(), before + kCallers + cores - 1);
}

// Between inferences the helpers sleep. (Processor time, which others on the machine do not add
// to.)
TEST(Team, NothingSpinsWhenIdle) {
  {
    Team team(64);
    RunAndCheck(&team, 100);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.1);
}

// A team works on while others are made and destroyed.
TEST(Team, OutlivesOthers) {
  auto first = std::make_unique<Team>(2);
  auto second = std::make_unique<Team>(2);
  RunAndCheck(second.get(), 10);
  first.reset();
  RunAndCheck(second.get(), 10);
  Team third(2);
  second.reset();
  RunAndCheck(&third, 10);
}

}  // namespace
}  // namespace sbnn
