// What the delegate reports while TensorFlow Lite uses it.
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "delegate/report/sbnn_report.h"
#include "gtest/gtest.h"
#include "tests/delegate/interpreter.h"

extern "C" const char* sbnn_version();

namespace sbnn {
namespace {

struct Lines {
  std::mutex mutex;
  std::vector<std::string> all;
  std::function<void(const std::string&)> also = [](const std::string&) {};

  static void Add(const char* line, void* user) {
    auto* const self = static_cast<Lines*>(user);
    self->also(line);
    const std::lock_guard<std::mutex> lock(self->mutex);
    self->all.emplace_back(line);
  }
  // Those of a kind.
  std::vector<std::string> Of(const std::string& kind) const {
    std::vector<std::string> found;
    for (const std::string& line : all) {
      if (line.find("\"record\":\"" + kind + "\"") != std::string::npos) found.push_back(line);
    }
    return found;
  }
};

TfLiteDelegate* Create(int sink, std::map<std::string, std::string> options = {}) {
  options["report_sink"] = std::to_string(sink);
  options.emplace("claim", "all");
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : options) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  return tflite_plugin_create_delegate(keys.data(), values.data(), keys.size(),
                                       [](const char* message) { ADD_FAILURE() << message; });
}

void ExpectIn(const std::string& line, const std::string& part) {
  EXPECT_NE(line.find(part), std::string::npos) << line;
}

TEST(DelegateReport, FromCreationToTheEnd) {
  Lines lines;
  const int sink = sbnn_add_report_sink(Lines::Add, &lines);
  TfLiteDelegate* const delegate = Create(sink, {{"isa", "scalar"}, {"profile", "1"}});
  ASSERT_NE(delegate, nullptr);
  ASSERT_EQ(lines.all.size(), 1u);
  ExpectIn(lines.all[0], std::string(R"("record":"engine","version":")") + sbnn_version() +
                             R"(","isa":"scalar","num_threads":1,"fp16":false,)");
  Interpreter interpreter;
  interpreter.set_subgraph(2);
  ASSERT_TRUE(interpreter.Run(delegate));
  tflite_plugin_destroy_delegate(delegate);
  sbnn_remove_report_sink(sink);

  const std::vector<std::string> nodes = lines.Of("node");
  ASSERT_EQ(nodes.size(), 5u);
  const char* const names[] = {"CONV_2D", "LOGISTIC", "DEPTHWISE_CONV_2D", "MEAN",
                               "FULLY_CONNECTED"};
  for (int i = 0; i < 5; ++i) {
    ExpectIn(nodes[i], R"("subgraph":2,"node":)" + std::to_string(i) + R"(,"op":")" + names[i] +
                           R"(","claimed":true,"part":0,"predicted_seconds":)");
  }
  const std::vector<std::string> subgraphs = lines.Of("subgraph"), parts = lines.Of("part");
  ASSERT_EQ(subgraphs.size(), 1u);
  ExpectIn(subgraphs[0], R"("subgraph":2,"nodes":5,"claimed":5,"parts":1,"packed_bytes":)");
  ASSERT_EQ(parts.size(), 1u);
  ExpectIn(parts[0], R"("subgraph":2,"part":0,"plan":0,"nodes":[0,1,2,3,4],"inputs":[[1,6,6,8]],)");
  EXPECT_FALSE(lines.Of("step").empty());
  EXPECT_EQ(lines.Of("part_profile").size(), 1u);
  EXPECT_EQ(lines.Of("step_profile").size(), lines.Of("step").size());
  for (const std::string& line : lines.Of("step_profile")) ExpectIn(line, R"("runs":1,)");
  EXPECT_TRUE(lines.Of("warning").empty());
}

// Names come from files.
TEST(DelegateReport, NamesOfAnyBytes) {
  Lines lines;
  const int sink = sbnn_add_report_sink(Lines::Add, &lines);
  TfLiteDelegate* const delegate = Create(sink);
  Interpreter interpreter;
  interpreter.MakeCustom("a\"\\\n\x1B[2J\xFFz");
  ASSERT_TRUE(interpreter.Run(delegate));
  tflite_plugin_destroy_delegate(delegate);
  sbnn_remove_report_sink(sink);
  const std::string node = lines.Of("node").at(1);
  ExpectIn(node, R"("op":"a\"\\\u000a\u001b[2J\ufffdz","claimed":false,"reason":")");
  ExpectIn(node, R"("text":"node 1 a\"\\\ufffd\ufffd[2J\ufffdz left: )");
  ExpectIn(lines.Of("subgraph").at(0), R"("nodes":5,"claimed":4,)");
}

TEST(DelegateReport, WarnsOfWhatWasAskedForInVain) {
  Lines lines;
  const int sink = sbnn_add_report_sink(Lines::Add, &lines);
  TfLiteDelegate* const delegate = Create(
      sink, {{"isa", "scalar"}, {"allow_fp16", "1"}, {"cache_path", "/no/such/folder/file"}});
  Interpreter interpreter;
  ASSERT_TRUE(interpreter.Run(delegate));
  tflite_plugin_destroy_delegate(delegate);
  sbnn_remove_report_sink(sink);
  const std::vector<std::string> warnings = lines.Of("warning");
  ASSERT_EQ(warnings.size(), 2u);
  ExpectIn(warnings[0],
           R"("kind":"no_fp16","message":"nothing computes in 16-bit floats: scalar )");
  ExpectIn(warnings[1], R"("subgraph":0,"kind":"cache_not_written","message":")");
  ExpectIn(warnings[1], "/no/such/folder");
}

// A sink may go while its delegates live on, even in a callback.
TEST(DelegateReport, GoesOnWithoutItsSink) {
  Lines lines;
  int sink = 0;
  lines.also = [&](const std::string& line) {
    if (line.find("\"node\":2,") != std::string::npos) sbnn_remove_report_sink(sink);
  };
  sink = sbnn_add_report_sink(Lines::Add, &lines);
  TfLiteDelegate* const delegate = Create(sink, {{"profile", "1"}});
  Interpreter interpreter;
  EXPECT_TRUE(interpreter.Run(delegate));
  tflite_plugin_destroy_delegate(delegate);
  EXPECT_EQ(lines.all.size(), 1u + 3u) << "engine and three nodes";
}

// Delegates of several threads report to their own sinks and to a common one.
TEST(DelegateReport, SeveralDelegatesAtOnce) {
  constexpr int kThreads = 6, kTimes = 5;
  Lines common;
  const int common_sink = sbnn_add_report_sink(Lines::Add, &common);
  std::vector<std::thread> threads;
  std::atomic<size_t> expected{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTimes; ++i) {
        Lines own;
        const int sink = t % 2 == 0 ? common_sink : sbnn_add_report_sink(Lines::Add, &own);
        TfLiteDelegate* const delegate = Create(sink, {{"num_threads", "2"}, {"profile", "1"}});
        Interpreter interpreter;
        interpreter.set_subgraph(t);
        EXPECT_TRUE(interpreter.Run(delegate));
        tflite_plugin_destroy_delegate(delegate);
        if (sink == common_sink) continue;
        sbnn_remove_report_sink(sink);
        const std::vector<std::string> nodes = own.Of("node");
        EXPECT_EQ(nodes.size(), 5u);
        for (const std::string& node : nodes) ExpectIn(node, "\"subgraph\":" + std::to_string(t));
        expected = own.all.size();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  sbnn_remove_report_sink(common_sink);
  std::map<std::string, size_t> by_delegate;
  for (const std::string& line : common.all) ++by_delegate[line.substr(0, line.find(','))];
  EXPECT_EQ(by_delegate.size(), static_cast<size_t>(kThreads / 2 * kTimes));
  for (const auto& [id, count] : by_delegate) EXPECT_EQ(count, expected) << id;
}

}  // namespace
}  // namespace sbnn
