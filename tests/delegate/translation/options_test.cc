// What a user may say to the delegate, and what the plugin's entry points answer.
#include "delegate/translation/options.h"

#include <string>
#include <utility>
#include <vector>

#include "delegate/kernels/table.h"
#include "gtest/gtest.h"
#include "tensorflow/lite/c/common.h"

extern "C" {
TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys, const char* const* values,
                                              size_t count, void (*report_error)(const char*));
void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate);
const char* sbnn_isa();
const char* sbnn_version();
}

namespace sbnn {
namespace {

using Pairs = std::vector<std::pair<const char*, const char*>>;

struct Arrays {
  std::vector<const char*> keys, values;
  explicit Arrays(const Pairs& pairs) {
    for (const auto& [key, value] : pairs) {
      keys.push_back(key);
      values.push_back(value);
    }
  }
};

Status Parse(const Pairs& pairs, Options* options) {
  const Arrays a(pairs);
  return ParseOptions(a.keys.data(), a.values.data(), pairs.size(), options);
}

TEST(ParseOptions, NothingSaid) {
  Options options;
  ASSERT_TRUE(ParseOptions(nullptr, nullptr, 0, &options).ok());
  EXPECT_EQ(options.num_threads, 1);
  EXPECT_FALSE(options.reporter->active()) << "reports to nobody";
  EXPECT_EQ(options.kernels, AvailableKernels().front());
}

TEST(ParseOptions, EverythingSaid) {
  Options options;
  const std::string file = testing::TempDir() + "a report";
  ASSERT_TRUE(
      Parse({{"num_threads", "12"}, {"report", file.c_str()}, {"isa", "scalar"}}, &options).ok());
  EXPECT_EQ(options.num_threads, 12);
  EXPECT_TRUE(options.reporter->active());
  EXPECT_EQ(options.kernels->isa, std::string("scalar"));
}

TEST(ParseOptions, WhoIsReportedTo) {
  const std::string file = testing::TempDir() + "a report";
  for (const auto& [key, value] : Pairs{{"explain", "0"}, {"profile", "0"}, {"report", ""}}) {
    Options options;
    ASSERT_TRUE(Parse({{key, value}}, &options).ok());
    EXPECT_FALSE(options.reporter->active()) << key << " = " << value;
  }
  for (const auto& [key, value] : Pairs{{"explain", "1"},
                                        {"explain", file.c_str()},
                                        {"profile", "1"},
                                        {"report", file.c_str()}}) {
    Options options;
    ASSERT_TRUE(Parse({{key, value}}, &options).ok());
    EXPECT_TRUE(options.reporter->active()) << key << " = " << value;
    EXPECT_EQ(options.reporter->profiles(), key == std::string("profile"));
  }
}

TEST(ParseOptions, EveryInstructionSetByName) {
  for (const Kernels* kernels : AvailableKernels()) {
    Options options;
    ASSERT_TRUE(Parse({{"isa", kernels->isa}}, &options).ok());
    EXPECT_EQ(options.kernels, kernels);
  }
}

TEST(ParseOptions, Fp16WhereItIsAllowed) {
  Options options;
  ASSERT_TRUE(Parse({}, &options).ok());
  EXPECT_FALSE(options.allow_fp16) << "off by default";
  ASSERT_TRUE(Parse({{"allow_fp16", "1"}}, &options).ok());
  EXPECT_TRUE(options.allow_fp16);
  ASSERT_TRUE(Parse({{"allow_fp16", "0"}}, &options).ok());
  EXPECT_FALSE(options.allow_fp16);
}

// The message names the option and what was found.
TEST(ParseOptions, Mistakes) {
  const Pairs mistakes = {
      {"num_threads", "0"},   {"num_threads", "-1"},    {"num_threads", ""},
      {"num_threads", "two"}, {"num_threads", "2x"},    {"num_threads", "1.5"},
      {"num_threads", " 2"},  {"num_threads", "+2"},    {"num_threads", "99999999999999999999"},
      {"num_threads", "257"}, {"isa", "sse"},           {"isa", "AVX2"},
      {"threads", "2"},       {"Num_threads", "2"},     {"", "1"},
      {"num_threads ", "2"},  {"num_threads", nullptr}, {nullptr, "1"},
      {"allow_fp16", "yes"},  {"allow_fp16", ""},       {"profile", "a file"},
      {"report", "/no/such"}, {"explain", "/no/such"},  {"report_sink", "0"},
      {"report_sink", ""},    {"report_sink", "one"},   {"report_sink", "987654321"},
  };
  for (const auto& [key, value] : mistakes) {
    Options options;
    const Status status = Parse({{"explain", "0"}, {key, value}}, &options);
    EXPECT_FALSE(status.ok()) << (key ? key : "null") << " = " << (value ? value : "null");
    if (key != nullptr) {
      EXPECT_NE(status.message().find(key), std::string::npos) << status.message();
    }
  }
}

std::vector<std::string>* reported = nullptr;

TfLiteDelegate* Create(const Pairs& pairs, std::vector<std::string>* errors) {
  const Arrays a(pairs);
  reported = errors;
  return tflite_plugin_create_delegate(a.keys.data(), a.values.data(), pairs.size(),
                                       [](const char* message) { reported->push_back(message); });
}

TEST(Plugin, MakesADelegate) {
  std::vector<std::string> errors;
  TfLiteDelegate* const delegate = Create({{"num_threads", "2"}}, &errors);
  ASSERT_NE(delegate, nullptr);
  EXPECT_TRUE(errors.empty());
  EXPECT_NE(delegate->Prepare, nullptr);
  EXPECT_NE(delegate->data_, nullptr);
  // Graphs with DENSIFY are refused without it.
  EXPECT_NE(delegate->flags & kTfLiteDelegateFlagsAllowDynamicTensors, 0);
  tflite_plugin_destroy_delegate(delegate);
}

TEST(Plugin, ReportsOneErrorAndMakesNone) {
  std::vector<std::string> errors;
  EXPECT_EQ(Create({{"colour", "blue"}}, &errors), nullptr);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].find("colour"), std::string::npos) << errors[0];
  EXPECT_NE(errors[0].find("num_threads"), std::string::npos) << "what may be said: " << errors[0];
}

TEST(Plugin, ErrorsThatNobodyWants) {
  const Arrays a(Pairs{{"num_threads", "none"}});
  EXPECT_EQ(tflite_plugin_create_delegate(a.keys.data(), a.values.data(), 1, nullptr), nullptr);
}

TEST(Plugin, DestroysNothing) { tflite_plugin_destroy_delegate(nullptr); }

TEST(Plugin, TellsOfItself) {
  EXPECT_EQ(sbnn_isa(), std::string(AvailableKernels().front()->isa));
  EXPECT_NE(std::string(sbnn_version()), "");
}

}  // namespace
}  // namespace sbnn
