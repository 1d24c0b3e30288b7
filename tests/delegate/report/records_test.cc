// Records, word by word: their members in JSON, and what they say to people.
#include "delegate/report/records.h"

#include <string>

#include "gtest/gtest.h"

namespace sbnn {
namespace {

template <typename Record>
void Expect(const Record& record, const std::string& line, const std::string& text) {
  JsonObject json;
  EXPECT_EQ(Describe(record, &json), text);
  EXPECT_EQ(json.Line(), line);
}

TEST(Records, Engine) {
  Expect(EngineRecord{"1.2.3", "avx2", 1, false},
         R"({"record":"engine","version":"1.2.3","isa":"avx2","num_threads":1,"fp16":false})",
         "SparseByteNN 1.2.3, avx2, 1 thread");
  Expect(EngineRecord{"1.2.3", "neon", 4, true},
         R"({"record":"engine","version":"1.2.3","isa":"neon","num_threads":4,"fp16":true})",
         "SparseByteNN 1.2.3, neon with 16-bit floats, 4 threads");
}

TEST(Records, OpenInput) {
  Expect(OpenInputRecord{0, 3, "image", {1, 224, 224, 3}},
         R"({"record":"open_input","subgraph":0,"tensor":3,"name":"image",)"
         R"("assumed":[1,224,224,3]})",
         "input \"image\" may have any size: claimed and packed for 1x224x224x3");
}

TEST(Records, Node) {
  Expect(NodeRecord{0, 7, "CONV_2D", "", 0, 0.00025, 0.0005},
         R"({"record":"node","subgraph":0,"node":7,"op":"CONV_2D","claimed":true,"part":0,)"
         R"("predicted_seconds":0.00025,"stock_seconds":0.0005})",
         "node 7 CONV_2D claimed, predicted 0.250 ms here, 0.500 ms in TensorFlow Lite");
  Expect(NodeRecord{2, 3, "DENSIFY", "", -1, 0, 0},
         R"({"record":"node","subgraph":2,"node":3,"op":"DENSIFY","claimed":true})",
         "subgraph 2: node 3 DENSIFY claimed");
  Expect(NodeRecord{0, 1, "Mine\n", "the operator is not supported", -1, 0, 0},
         R"({"record":"node","subgraph":0,"node":1,"op":"Mine\u000a","claimed":false,)"
         R"("reason":"the operator is not supported"})",
         "node 1 Mine\n left: the operator is not supported");
}

TEST(Records, Subgraph) {
  Expect(SubgraphRecord{0, 12, 9, 3, 4096},
         R"({"record":"subgraph","subgraph":0,"nodes":12,"claimed":9,"parts":3,)"
         R"("packed_bytes":4096})",
         "claimed 9 of 12 nodes in 3 parts, packed weights 4096 bytes");
  Expect(SubgraphRecord{1, 1, 0, 1, uint64_t{1} << 33},
         R"({"record":"subgraph","subgraph":1,"nodes":1,"claimed":0,"parts":1,)"
         R"("packed_bytes":8589934592})",
         "subgraph 1: claimed 0 of 1 node in 1 part, packed weights 8589934592 bytes");
}

const PlanFacts kPlan = {0, 1, 2, {{1, 8, 8, 3}, {4}}};
const StepFacts kStep = {5, {3, 4}, "node 3 CONV_2D + node 4 ADD", 1e-5};
const std::string kPlanJson = R"("subgraph":0,"part":1,"plan":2)";
const std::string kStepJson =
    R"("step":5,"nodes":[3,4],"label":"node 3 CONV_2D + node 4 ADD","predicted_seconds":1e-05)";

TEST(Records, Part) {
  Expect(PartRecord{kPlan, {3, 4, 9}, 1000},
         R"({"record":"part",)" + kPlanJson +
             R"(,"nodes":[3,4,9],"inputs":[[1,8,8,3],[4]],"activation_bytes":1000})",
         "part 1, inputs 1x8x8x3 4: activations 1000 bytes");
}

// People read of steps that are out of the ordinary.
TEST(Records, Step) {
  const std::string start = R"({"record":"step",)" + kPlanJson + "," + kStepJson;
  Expect(StepRecord{kPlan, kStep, false, ""}, start + R"(,"fp16":false})", "");
  Expect(StepRecord{kPlan, kStep, true, ""}, start + R"(,"fp16":true})",
         "node 3 CONV_2D + node 4 ADD: in 16-bit floats");
  Expect(StepRecord{kPlan, kStep, false, "zeros are skipped"},
         start + R"(,"fp16":false,"remark":"zeros are skipped"})",
         "node 3 CONV_2D + node 4 ADD: zeros are skipped");
  Expect(StepRecord{kPlan, kStep, true, "zeros are skipped"},
         start + R"(,"fp16":true,"remark":"zeros are skipped"})",
         "node 3 CONV_2D + node 4 ADD: in 16-bit floats; zeros are skipped");
}

TEST(Records, Profile) {
  const Runs runs = {30, 1.25e-5, 1.5e-5};
  const std::string times = R"("runs":30,"least_seconds":1.25e-05,"median_seconds":1.5e-05})";
  Expect(PartProfileRecord{kPlan, runs},
         R"({"record":"part_profile",)" + kPlanJson + R"(,"inputs":[[1,8,8,3],[4]],)" + times,
         "part 1, inputs 1x8x8x3 4: least 12.5 us, median 15.0 us of 30 runs");
  Expect(StepProfileRecord{kPlan, kStep, runs},
         R"({"record":"step_profile",)" + kPlanJson + "," + kStepJson + "," + times,
         "      12.5 us, median       15.0 us  node 3 CONV_2D + node 4 ADD (predicted 10.0 us)");
}

TEST(Records, Warning) {
  Expect(WarningRecord{"kind", "what is wrong", -1},
         R"({"record":"warning","kind":"kind","message":"what is wrong"})",
         "warning: what is wrong");
  Expect(WarningRecord{"kind", "what is wrong", 3},
         R"({"record":"warning","subgraph":3,"kind":"kind","message":"what is wrong"})",
         "subgraph 3: warning: what is wrong");
}

}  // namespace
}  // namespace sbnn
