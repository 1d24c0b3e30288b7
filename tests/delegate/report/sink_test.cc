// Who receives records: functions, from any threads and for as long as they want, and files.
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "delegate/report/reporter.h"
#include "delegate/report/sbnn_report.h"
#include "gtest/gtest.h"

extern "C" {
int AddSinkFromC(int* calls);
int LinesInC(void);
}

namespace sbnn {
namespace {

// What a callback received.
class Received {
 public:
  static void Callback(const char* line, void* user) {
    auto* const self = static_cast<Received*>(user);
    const std::lock_guard<std::mutex> lock(self->mutex_);
    self->lines_.emplace_back(line);
  }
  std::vector<std::string> lines() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

std::shared_ptr<Reporter> ReporterTo(Reporter::Targets targets) {
  std::shared_ptr<Reporter> reporter;
  const Status status = Reporter::Open(targets, &reporter);
  EXPECT_TRUE(status.ok()) << status.message();
  return reporter;
}

std::shared_ptr<Reporter> ReporterTo(int sink) {
  Reporter::Targets targets;
  targets.sink = FindSink(sink);
  return ReporterTo(targets);
}

WarningRecord Warning(const std::string& message) { return {"test", message, -1}; }

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> Lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::string NewFile(const std::string& name) {
  const std::string path = testing::TempDir() + name;
  std::remove(path.c_str());
  return path;
}

TEST(Sink, ReceivesRecordsUntilItIsRemoved) {
  Received one, two;
  const int first = sbnn_add_report_sink(Received::Callback, &one);
  const int second = sbnn_add_report_sink(Received::Callback, &two);
  ASSERT_GT(first, 0);
  ASSERT_GT(second, 0);
  ASSERT_NE(first, second);
  const auto to_first = ReporterTo(first), also_to_first = ReporterTo(first);
  const auto to_second = ReporterTo(second);
  to_first->Send(Warning("a"));
  also_to_first->Send(Warning("b"));
  to_second->Send(Warning("c"));
  const std::vector<std::string> lines = one.lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(Contains(lines[0], R"("record":"warning","kind":"test","message":"a")")) << lines[0];
  EXPECT_TRUE(Contains(lines[0], R"("text":"warning: a")")) << lines[0];
  const auto id = [](const std::string& line) { return line.substr(0, line.find(',')); };
  EXPECT_EQ(id(lines[0]).rfind("{\"id\":", 0), 0u) << lines[0];
  EXPECT_NE(id(lines[0]), id(lines[1])) << "who reports can be told";
  ASSERT_EQ(two.lines().size(), 1u);

  EXPECT_EQ(sbnn_remove_report_sink(first), 1);
  to_first->Send(Warning("late"));
  EXPECT_EQ(one.lines().size(), 2u);
  to_second->Send(Warning("d"));
  EXPECT_EQ(two.lines().size(), 2u) << "others go on";
  EXPECT_EQ(FindSink(first), nullptr);
  EXPECT_EQ(sbnn_remove_report_sink(first), 0) << "it is gone";
  EXPECT_EQ(sbnn_remove_report_sink(second), 1);
}

TEST(Sink, FromC) {
  int calls = 0;
  const int sink = AddSinkFromC(&calls);
  ReporterTo(sink)->Send(Warning("x"));
  EXPECT_EQ(sbnn_remove_report_sink(sink), 1);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(LinesInC(), 1);
}

TEST(Receiver, GetsLinesAndTheirText) {
  std::vector<std::string> lines, texts;
  Reporter::Targets targets;
  targets.receiver = [&](const std::string& json, const std::string& text) {
    lines.push_back(json);
    texts.push_back(text);
  };
  const auto reporter = ReporterTo(targets);
  EXPECT_TRUE(reporter->active());
  reporter->Send(Warning("\xff \"a\""));
  reporter->Send(StepRecord{});
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(Contains(lines[0], R"("text":"warning: \ufffd \"a\"")")) << lines[0];
  EXPECT_EQ(texts[0], "warning: \xef\xbf\xbd \"a\"");
  EXPECT_EQ(texts[1], "") << "this kind says nothing to people";
}

TEST(Sink, MistakesAreTold) {
  EXPECT_EQ(sbnn_add_report_sink(nullptr, nullptr), 0);
  for (int number : {0, -1, 1 << 30}) EXPECT_EQ(sbnn_remove_report_sink(number), 0);
}

// A callback that removes its own sink is the last one, and does not wait for itself.
TEST(Sink, MayBeRemovedInItsCallback) {
  struct Once {
    int sink = 0, calls = 0, removed = 0;
  } once;
  once.sink = sbnn_add_report_sink(
      [](const char*, void* user) {
        auto* const self = static_cast<Once*>(user);
        ++self->calls;
        self->removed = sbnn_remove_report_sink(self->sink);
      },
      &once);
  const auto reporter = ReporterTo(once.sink);
  for (int i = 0; i < 3; ++i) reporter->Send(Warning("x"));
  EXPECT_EQ(once.calls, 1);
  EXPECT_EQ(once.removed, 1);
}

TEST(Sink, RemovalWaitsForACallOnAnotherThread) {
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool entered = false, open = false;
    std::atomic<bool> left{false};
  } gate;
  const int sink = sbnn_add_report_sink(
      [](const char*, void* user) {
        auto* const g = static_cast<Gate*>(user);
        std::unique_lock<std::mutex> lock(g->mutex);
        g->entered = true;
        g->changed.notify_all();
        g->changed.wait(lock, [g] { return g->open; });
        g->left = true;
      },
      &gate);
  std::thread reporting([&] { ReporterTo(sink)->Send(Warning("x")); });
  {
    std::unique_lock<std::mutex> lock(gate.mutex);
    gate.changed.wait(lock, [&] { return gate.entered; });
  }
  std::atomic<bool> removed{false}, left_before{false};
  std::thread removing([&] {
    sbnn_remove_report_sink(sink);
    left_before = gate.left.load();
    removed = true;
  });
  while (FindSink(sink) != nullptr) std::this_thread::yield();
  EXPECT_FALSE(removed);
  {
    const std::lock_guard<std::mutex> lock(gate.mutex);
    gate.open = true;
  }
  gate.changed.notify_all();
  removing.join();
  reporting.join();
  EXPECT_TRUE(left_before);
}

// Whole lines, none lost, from threads with reporters of their own and with a common one; sinks
// come and go meanwhile.
TEST(Sink, ManyThreads) {
  constexpr int kThreads = 8, kRecords = 200;
  Received received;
  const int sink = sbnn_add_report_sink(Received::Callback, &received);
  const auto common = ReporterTo(sink);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const auto own = ReporterTo(sink);
      for (int i = 0; i < kRecords; ++i) {
        Received other;
        const int short_lived = sbnn_add_report_sink(Received::Callback, &other);
        const auto to_other = ReporterTo(short_lived);
        const std::string message = "<" + std::to_string(t) + " " + std::to_string(i) + ">";
        (i % 2 == 0 ? common : own)->Send(Warning(message));
        to_other->Send(Warning(message));
        EXPECT_EQ(sbnn_remove_report_sink(short_lived), 1);
        to_other->Send(Warning(message));
        EXPECT_EQ(other.lines().size(), 1u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  sbnn_remove_report_sink(sink);
  std::set<std::string> messages;
  for (const std::string& line : received.lines()) {
    EXPECT_EQ(line.front(), '{');
    EXPECT_EQ(line.back(), '}');
    messages.insert(line.substr(line.find('<'), line.find('>') - line.find('<')));
  }
  EXPECT_EQ(messages.size(), static_cast<size_t>(kThreads * kRecords));
}

TEST(Reporter, FilesAreAppendedToAndReadableAtOnce) {
  const std::string json = NewFile("reporter.jsonl"), text = NewFile("reporter.txt");
  Reporter::Targets targets;
  targets.report = json;
  targets.explain = text;
  const auto first = ReporterTo(targets);
  first->Send(Warning("one"));
  EXPECT_EQ(Lines(text), std::vector<std::string>({"warning: one"}));
  first->Send(StepRecord{});  // says nothing to people
  ReporterTo(targets)->Send(Warning("two"));
  EXPECT_EQ(Lines(text), std::vector<std::string>({"warning: one", "warning: two"}));
  const std::vector<std::string> lines = Lines(json);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(Contains(lines[0], R"("message":"one","text":"warning: one"})")) << lines[0];
  EXPECT_FALSE(Contains(lines[1], "\"text\"")) << lines[1];
}

TEST(Reporter, LinesOfThreadsStayWhole) {
  const std::string path = NewFile("whole.jsonl");
  const std::string message(5000, 'x');  // longer than buffers
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Reporter::Targets targets;
      targets.report = path;
      const auto reporter = ReporterTo(targets);
      for (int i = 0; i < 50; ++i) reporter->Send(Warning(message));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::string> lines = Lines(path);
  ASSERT_EQ(lines.size(), 200u);
  for (const std::string& line : lines) {
    ASSERT_EQ(line.rfind("{\"id\":", 0), 0u);
    ASSERT_EQ(line.back(), '}');
  }
}

TEST(Reporter, AFileThatCannotBeWrittenIsAnError) {
  for (const bool explain : {false, true}) {
    Reporter::Targets targets;
    (explain ? targets.explain : targets.report) = testing::TempDir() + "missing/file";
    std::shared_ptr<Reporter> reporter;
    const Status status = Reporter::Open(targets, &reporter);
    EXPECT_FALSE(status.ok());
    EXPECT_TRUE(Contains(status.message(), explain ? "explain: " : "report: ")) << status.message();
    EXPECT_TRUE(Contains(status.message(), "No such file")) << status.message();
    EXPECT_EQ(reporter, nullptr);
  }
}

// Profiles go to standard error only where nobody receives them as JSON.
TEST(Reporter, ProfilesAsText) {
  const std::string json = NewFile("profile.jsonl");
  for (const std::string& report : {std::string(), json}) {
    Reporter::Targets targets;
    targets.profile = true;
    targets.report = report;
    const auto reporter = ReporterTo(targets);
    EXPECT_TRUE(reporter->active());
    EXPECT_TRUE(reporter->profiles());
    testing::internal::CaptureStderr();
    reporter->Send(Warning("nobody explains"));
    reporter->Send(PartProfileRecord{{0, 0, 0, {{1, 2}}}, {3, 1e-6, 2e-6}});
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              report.empty() ? "part 0, inputs 1x2: least 1.0 us, median 2.0 us of 3 runs\n" : "");
  }
  EXPECT_EQ(Lines(json).size(), 2u);
}

TEST(Reporter, ExplainsToStandardError) {
  Reporter::Targets targets;
  targets.explain = "1";
  testing::internal::CaptureStderr();
  ReporterTo(targets)->Send(Warning("x\ny"));
  std::fprintf(stderr, "still open\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "warning: x\xEF\xBF\xBDy\nstill open\n");
}

}  // namespace
}  // namespace sbnn
