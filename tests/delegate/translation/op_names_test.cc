// Operators by the names that people know.
#include "delegate/translation/op_names.h"

#include "gtest/gtest.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

std::string Name(int code, const char* custom = nullptr) {
  TfLiteRegistration registration{};
  registration.builtin_code = code;
  registration.custom_name = custom;
  return OpName(registration);
}

TEST(OpName, AsInTheSchema) {
  EXPECT_EQ(Name(kTfLiteBuiltinAdd), "ADD");
  EXPECT_EQ(Name(kTfLiteBuiltinDepthwiseConv2d), "DEPTHWISE_CONV_2D");
  EXPECT_EQ(Name(kTfLiteBuiltinCustom), "CUSTOM");
  EXPECT_EQ(Name(kTfLiteBuiltinLess), "LESS");
  EXPECT_EQ(Name(kTfLiteBuiltinPlaceholderForGreaterOpCodes), "PLACEHOLDER_FOR_GREATER_OP_CODES");
  EXPECT_EQ(Name(kTfLiteBuiltinWhile), "WHILE");
  EXPECT_EQ(Name(kTfLiteBuiltinGelu), "GELU");
  EXPECT_EQ(Name(kTfLiteBuiltinReduceWindow), "REDUCE_WINDOW");
}

TEST(OpName, OfOthers) {
  EXPECT_EQ(Name(kTfLiteBuiltinCustom, "Mine"), "Mine");
  EXPECT_EQ(Name(kTfLiteBuiltinDelegate, "Theirs"), "Theirs");
  EXPECT_EQ(Name(100000), "OPERATOR_100000");
  EXPECT_EQ(Name(-1), "OPERATOR_-1");
}

}  // namespace
}  // namespace sbnn
