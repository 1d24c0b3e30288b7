// The delegate from a struct of options, as native programs make it.
#include "delegate/tflite/sbnn_delegate.h"

#include <string>

#include "delegate/report/sbnn_report.h"
#include "gtest/gtest.h"

namespace sbnn {
namespace {

// What creation says; empty: it made a delegate.
std::string Error(const sbnn_delegate_options& options) {
  char error[200] = "";
  TfLiteDelegate* const delegate = sbnn_delegate_create(&options, error, sizeof(error));
  EXPECT_EQ(delegate == nullptr, error[0] != '\0') << error;
  sbnn_delegate_delete(delegate);
  return error;
}

// What the first record says of the options.
std::string EngineRecord(sbnn_delegate_options options) {
  std::string line;
  options.report_sink = sbnn_add_report_sink(
      [](const char* record, void* user) {
        auto* const first = static_cast<std::string*>(user);
        if (first->empty()) *first = record;
      },
      &line);
  EXPECT_EQ(Error(options), "");
  sbnn_remove_report_sink(options.report_sink);
  return line;
}

TEST(SbnnDelegate, TheDefaultOptionsWork) {
  EXPECT_EQ(Error(sbnn_delegate_options_default()), "");
  TfLiteDelegate* const delegate = sbnn_delegate_create(nullptr, nullptr, 0);
  EXPECT_NE(delegate, nullptr);
  sbnn_delegate_delete(delegate);
  sbnn_delegate_delete(nullptr);
}

TEST(SbnnDelegate, OptionsArrive) {
  sbnn_delegate_options options = sbnn_delegate_options_default();
  options.num_threads = 3;
  options.isa = "scalar";
  const std::string record = EngineRecord(options);
  EXPECT_NE(record.find("num_threads\":3"), std::string::npos) << record;
  EXPECT_NE(record.find("\"isa\":\"scalar\""), std::string::npos) << record;
}

TEST(SbnnDelegate, EmptyStringsAreNone) {
  sbnn_delegate_options options = sbnn_delegate_options_default();
  options.cache_path = options.explain = options.report = options.isa = "";
  EXPECT_EQ(Error(options), "");
}

TEST(SbnnDelegate, WrongOptionsAreNamed) {
  sbnn_delegate_options options = sbnn_delegate_options_default();
  options.num_threads = 0;
  EXPECT_EQ(Error(options), "SparseByteNN: num_threads: expected 1 to 256, found \"0\"");

  options = sbnn_delegate_options_default();
  options.claim = static_cast<sbnn_claim>(7);
  EXPECT_NE(Error(options).find("claim: expected"), std::string::npos);

  options = sbnn_delegate_options_default();
  options.allow_fp16 = 2;
  EXPECT_NE(Error(options).find("allow_fp16: expected 0 or 1"), std::string::npos);

  options = sbnn_delegate_options_default();
  options.profile = -1;
  EXPECT_NE(Error(options).find("profile: expected 0 or 1"), std::string::npos);

  options = sbnn_delegate_options_default();
  options.report = "/no/such/folder/report";
  EXPECT_NE(Error(options).find("cannot write"), std::string::npos);

  options = sbnn_delegate_options_default();
  options.report_sink = 987654321;
  EXPECT_NE(Error(options).find("report_sink: expected"), std::string::npos);

  options = sbnn_delegate_options_default();
  options.isa = "none";
  EXPECT_NE(Error(options).find("isa: expected one of"), std::string::npos);
}

TEST(SbnnDelegate, LongErrorsAreCut) {
  sbnn_delegate_options options = sbnn_delegate_options_default();
  options.num_threads = 0;
  char error[10] = "";
  EXPECT_EQ(sbnn_delegate_create(&options, error, sizeof(error)), nullptr);
  EXPECT_EQ(std::string(error), "SparseByt");
  EXPECT_EQ(sbnn_delegate_create(&options, nullptr, 0), nullptr);
}

}  // namespace
}  // namespace sbnn
