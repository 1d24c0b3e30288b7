#include "delegate/report/records.h"

#include <cstdarg>
#include <cstdio>

namespace sbnn {
namespace {

// Of plain words and numbers: what a file says is never in it.
std::string Format(const char* format, ...) __attribute__((format(printf, 1, 2)));

std::string Format(const char* format, ...) {
  char text[160];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  return text;
}

std::string Count(int64_t count, const char* noun) {
  return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

// Most models have one subgraph.
std::string On(int subgraph) {
  return subgraph <= 0 ? "" : "subgraph " + std::to_string(subgraph) + ": ";
}

std::string DescribeShape(const std::vector<int>& shape) {
  std::string text;
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : "x") + std::to_string(shape[i]);
  return text;
}

std::string Describe(const PlanFacts& plan, JsonObject* json) {
  json->Integer("subgraph", plan.subgraph);
  json->Integer("part", plan.part);
  json->Integer("plan", plan.plan);
  std::string text = On(plan.subgraph) + "part " + std::to_string(plan.part) + ", inputs";
  for (const std::vector<int>& shape : plan.inputs) text += ' ' + DescribeShape(shape);
  return text;
}

void Describe(const StepFacts& step, JsonObject* json) {
  json->Integer("step", step.step);
  json->Integers("nodes", step.nodes);
  json->Text("label", step.label);
  json->Number("predicted_seconds", step.predicted);
}

void Describe(const Runs& runs, JsonObject* json) {
  json->Integer("runs", runs.count);
  json->Number("least_seconds", runs.least);
  json->Number("median_seconds", runs.median);
}

}  // namespace

std::string Describe(const EngineRecord& record, JsonObject* json) {
  json->Text("record", "engine");
  json->Text("version", record.version);
  json->Text("isa", record.isa);
  json->Integer("num_threads", record.num_threads);
  json->Flag("fp16", record.fp16);
  return "SparseByteNN " + record.version + ", " + record.isa +
         (record.fp16 ? " with 16-bit floats, " : ", ") + Count(record.num_threads, "thread");
}

std::string Describe(const OpenInputRecord& record, JsonObject* json) {
  json->Text("record", "open_input");
  json->Integer("subgraph", record.subgraph);
  json->Integer("tensor", record.tensor);
  json->Text("name", record.name);
  json->Integers("assumed", record.assumed);
  return On(record.subgraph) + "input \"" + record.name +
         "\" may have any size: claimed and packed for " + DescribeShape(record.assumed);
}

std::string Describe(const NodeRecord& record, JsonObject* json) {
  const bool claimed = record.reason.empty(), priced = record.stock > 0;
  json->Text("record", "node");
  json->Integer("subgraph", record.subgraph);
  json->Integer("node", record.node);
  json->Text("op", record.op);
  json->Flag("claimed", claimed);
  if (record.part >= 0) json->Integer("part", record.part);
  if (!claimed) json->Text("reason", record.reason);
  if (priced) json->Number("predicted_seconds", record.here);
  if (priced) json->Number("stock_seconds", record.stock);
  std::string text = On(record.subgraph) + "node " + std::to_string(record.node) + ' ' + record.op;
  text += claimed ? " claimed" : " left: " + record.reason;
  if (claimed && priced) text += ", predicted " + DescribeTimes(record.here, record.stock);
  return text;
}

std::string Describe(const SubgraphRecord& record, JsonObject* json) {
  json->Text("record", "subgraph");
  json->Integer("subgraph", record.subgraph);
  json->Integer("nodes", record.nodes);
  json->Integer("claimed", record.claimed);
  json->Integer("parts", record.parts);
  json->Integer("packed_bytes", static_cast<int64_t>(record.packed_bytes));
  return On(record.subgraph) + "claimed " + std::to_string(record.claimed) + " of " +
         Count(record.nodes, "node") + " in " + Count(record.parts, "part") + ", packed weights " +
         Count(static_cast<int64_t>(record.packed_bytes), "byte");
}

std::string Describe(const PartRecord& record, JsonObject* json) {
  json->Text("record", "part");
  const std::string part = Describe(record.plan, json);
  json->Integers("nodes", record.nodes);
  json->Shapes("inputs", record.plan.inputs);
  json->Integer("activation_bytes", static_cast<int64_t>(record.activation_bytes));
  return part + ": activations " + Count(static_cast<int64_t>(record.activation_bytes), "byte");
}

std::string Describe(const StepRecord& record, JsonObject* json) {
  json->Text("record", "step");
  Describe(record.plan, json);
  Describe(record.step, json);
  json->Flag("fp16", record.fp16);
  if (!record.remark.empty()) json->Text("remark", record.remark);
  const char* const fp16 = record.fp16 ? "in 16-bit floats" : "";
  if (!record.fp16 && record.remark.empty()) return "";
  return On(record.plan.subgraph) + record.step.label + ": " + fp16 +
         (record.fp16 && !record.remark.empty() ? "; " : "") + record.remark;
}

std::string Describe(const PartProfileRecord& record, JsonObject* json) {
  json->Text("record", "part_profile");
  const std::string part = Describe(record.plan, json);
  json->Shapes("inputs", record.plan.inputs);
  Describe(record.runs, json);
  return part +
         Format(": least %.1f us, median %.1f us of ", record.runs.least * 1e6,
                record.runs.median * 1e6) +
         Count(record.runs.count, "run");
}

std::string Describe(const StepProfileRecord& record, JsonObject* json) {
  json->Text("record", "step_profile");
  Describe(record.plan, json);
  Describe(record.step, json);
  Describe(record.runs, json);
  const double predicted = record.step.predicted;
  return Format("%10.1f us, median %10.1f us  ", record.runs.least * 1e6,
                record.runs.median * 1e6) +
         On(record.plan.subgraph) + record.step.label +
         (predicted > 0 ? Format(" (predicted %.1f us)", predicted * 1e6) : "");
}

std::string Describe(const WarningRecord& record, JsonObject* json) {
  json->Text("record", "warning");
  if (record.subgraph >= 0) json->Integer("subgraph", record.subgraph);
  json->Text("kind", record.kind);
  json->Text("message", record.message);
  return On(record.subgraph) + "warning: " + record.message;
}

std::string DescribeTimes(double here, double stock) {
  return Format("%.3f ms here, %.3f ms in TensorFlow Lite", here * 1e3, stock * 1e3);
}

}  // namespace sbnn
