// What is reported of a network: its plans, what their steps compute, and how long that takes.
#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delegate/engine/ops/activation.h"
#include "delegate/engine/ops/binary.h"
#include "delegate/engine/ops/clamp.h"
#include "delegate/engine/ops/split.h"
#include "delegate/report/network_report.h"
#include "gtest/gtest.h"

namespace sbnn {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class Records {
 public:
  Records() : sink_(sbnn_add_report_sink(Add, this)) {}
  ~Records() { sbnn_remove_report_sink(sink_); }

  std::shared_ptr<Reporter> ReporterToHere(bool profile) const {
    Reporter::Targets targets;
    targets.sink = FindSink(sink_);
    targets.profile = profile;
    std::shared_ptr<Reporter> reporter;
    EXPECT_TRUE(Reporter::Open(targets, &reporter).ok());
    return reporter;
  }

  // Those received since the last call, from "record" on, and times left out.
  std::vector<std::string> Take() {
    std::vector<std::string> taken;
    for (const std::string& line : lines_) {
      const std::string members = line.substr(line.find("\"record\""));
      taken.push_back(members.substr(
          0, std::min(members.find(",\"activation_bytes\""),
                      std::min(members.find(",\"least_seconds\""), members.find(",\"fp16\"")))));
    }
    lines_.clear();
    return taken;
  }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  static void Add(const char* line, void* user) {
    static_cast<Records*>(user)->lines_.emplace_back(line);
  }
  std::vector<std::string> lines_;
  const int sink_;
};

// Two outputs of one input: relu6(x), and the square of logistic(x).
class Graph {
 public:
  explicit Graph(std::shared_ptr<Reporter> reporter)
      : report(std::move(reporter), 1, 2, {3, 5, 9, 10}, {{3, 1e-6}, {5, 2e-6}, {9, 4e-6}}) {
    network.AddOp(std::make_unique<Clamp>(0.0f, 6.0f), {0}, 1, "node 3 RELU6");
    network.AddOp(std::make_unique<Activation>(UnaryKind::kLogistic), {0}, 2, "node 5 LOGISTIC");
    network.AddOp(std::make_unique<Binary>(BinaryKind::kMul, 0.0f, 6.0f), {2, 2}, 3, "node 9 MUL");
    network.SetInputs({0});
    network.SetOutputs({1, 3});
  }
  void Prepare(const Shape& shape) {
    ASSERT_TRUE(network.Prepare({shape}, *FindKernels("scalar"), 1).ok());
    report.Planned(network, {shape});
  }
  void Run(double seconds) {
    const std::vector<double> steps(network.Steps().size(), seconds / 4);
    report.Ran(seconds, steps);
  }
  Network network;
  NetworkReport report;
};

using Lines = std::vector<std::string>;

std::string PartLine(int plan, const std::string& inputs) {
  return R"("record":"part","subgraph":1,"part":2,"plan":)" + std::to_string(plan) +
         R"(,"nodes":[3,5,9,10],"inputs":[[)" + inputs + "]]";
}

std::string StepLine(const std::string& kind, int plan, int step, const std::string& nodes,
                     const std::string& label, const std::string& predicted) {
  return R"("record":")" + kind + R"(","subgraph":1,"part":2,"plan":)" + std::to_string(plan) +
         R"(,"step":)" + std::to_string(step) + R"(,"nodes":[)" + nodes + R"(],"label":")" + label +
         R"(","predicted_seconds":)" + predicted;
}

TEST(NetworkReport, StepsNameTheirNodes) {
  Records records;
  Graph graph(records.ReporterToHere(false));
  graph.Prepare({1, 4, 4, 2});
  EXPECT_EQ(records.Take(),
            Lines({PartLine(0, "1,4,4,2"), StepLine("step", 0, 0, "3", "node 3 RELU6", "1e-06"),
                   StepLine("step", 0, 1, "5", "node 5 LOGISTIC", "2e-06"),
                   StepLine("step", 0, 2, "9", "node 9 MUL", "4e-06")}));
}

// A network whose shapes change to and fro, as in a loop, does not repeat itself.
TEST(NetworkReport, EachShapeOnce) {
  Records records;
  Graph graph(records.ReporterToHere(false));
  graph.Prepare({1, 4, 4, 2});
  EXPECT_EQ(records.Take().size(), 4u);
  graph.Prepare({1, 4, 4, 2});
  EXPECT_EQ(records.Take(), Lines());
  graph.Prepare({2, 4, 4, 2});
  EXPECT_EQ(records.Take()[0], PartLine(1, "2,4,4,2"));
  graph.Prepare({1, 4, 4, 2});
  EXPECT_EQ(records.Take(), Lines());
}

TEST(NetworkReport, TimesOfEachShape) {
  Records records;
  Graph graph(records.ReporterToHere(true));
  graph.Prepare({1, 4, 4, 2});
  graph.Run(4);
  graph.Prepare({2, 4, 4, 2});
  graph.Prepare({3, 4, 4, 2});
  graph.Run(16);
  graph.Prepare({1, 4, 4, 2});
  graph.Run(8);
  graph.Run(12);
  records.Take();
  graph.report.SendProfile();
  ASSERT_EQ(records.lines().size(), 8u) << "nothing ran on two images";
  const auto has = [&](size_t line, const std::string& part) {
    EXPECT_NE(records.lines()[line].find(part), std::string::npos) << records.lines()[line];
  };
  has(0, R"("plan":0,"inputs":[[1,4,4,2]],"runs":3,"least_seconds":4,"median_seconds":8,)");
  has(1, R"("plan":0,"step":0,"nodes":[3],)");
  has(1, R"("runs":3,"least_seconds":1,"median_seconds":2,)");
  has(4, R"("plan":2,"inputs":[[3,4,4,2]],"runs":1,"least_seconds":16,"median_seconds":16,)");
  has(7, R"("plan":2,"step":2,"nodes":[9],)");
}

// One step does what several nodes say; one node may be several operators.
TEST(NetworkReport, NodesAndOperatorsNeedNotBeOneToOne) {
  Records records;
  Network network;
  network.AddOp(std::make_unique<Split>(3, 2, 0), {0}, 1, "node 4 SPLIT");
  network.AddOp(std::make_unique<Split>(3, 2, 1), {0}, 2, "node 4 SPLIT");
  network.AddOp(std::make_unique<Activation>(UnaryKind::kLogistic), {1}, 3, "node 6 LOGISTIC");
  network.AddOp(std::make_unique<Binary>(BinaryKind::kMul, -kInfinity, kInfinity), {1, 3}, 4,
                "node 7 MUL");
  network.SetInputs({0});
  network.SetOutputs({2, 4});
  NetworkReport report(records.ReporterToHere(false), 1, 2, {4, 6, 7},
                       {{4, 1e-6}, {4, 1e-6}, {6, 2e-6}, {7, 4e-6}});
  const Shape shape = {1, 3, 3, 8};
  ASSERT_TRUE(network.Prepare({shape}, *FindKernels("scalar"), 1).ok());
  report.Planned(network, {shape});
  const Lines lines = records.Take();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[1], StepLine("step", 0, 0, "4", "node 4 SPLIT", "1e-06"));
  EXPECT_EQ(lines[2], StepLine("step", 0, 1, "4", "node 4 SPLIT", "1e-06"));
  EXPECT_EQ(lines[3], StepLine("step", 0, 2, "6,7", "node 6 LOGISTIC + node 7 MUL", "6e-06"));
}

TEST(NetworkReport, NothingIsKeptWhereNobodyListens) {
  std::shared_ptr<Reporter> nobody;
  ASSERT_TRUE(Reporter::Open({}, &nobody).ok());
  Graph graph(nobody);
  graph.Prepare({1, 4, 4, 2});
  EXPECT_FALSE(graph.report.profiles());
  graph.report.SendProfile();
}

// An empty batch is planned as nothing.
TEST(NetworkReport, NoImages) {
  Records records;
  Graph graph(records.ReporterToHere(true));
  graph.Prepare({1, 4, 4, 2});
  records.Take();
  graph.Prepare({0, 4, 4, 2});
  graph.Run(1);
  EXPECT_EQ(records.Take(), Lines({PartLine(1, "0,4,4,2")}));
  graph.report.SendProfile();
  EXPECT_EQ(records.lines().size(), 1u);
}

}  // namespace
}  // namespace sbnn
