#include "delegate/translation/cost.h"

#include <string>

#include "delegate/kernels/table.h"
#include "gtest/gtest.h"

namespace sbnn {
namespace {

// Else claims would go by the rates of another instruction set.
TEST(Cost, EveryInstructionSetHasRates) {
  for (const Kernels* kernels : AvailableKernels()) {
    EXPECT_TRUE(HasRates(*kernels)) << kernels->isa;
    Kernels in_order = *kernels;
    in_order.in_order = true;
    EXPECT_TRUE(HasRates(in_order)) << kernels->isa;
  }
}

// The scalar kernels have none: nothing of int8 is claimed for them unless it is asked for.
TEST(Cost, EveryInstructionSetHasInt8Rates) {
  for (const Kernels* kernels : AvailableKernels()) {
    EXPECT_EQ(HasInt8Rates(*kernels), std::string(kernels->isa) != "scalar") << kernels->isa;
    Kernels in_order = *kernels;
    in_order.in_order = true;
    EXPECT_EQ(HasInt8Rates(in_order), HasInt8Rates(*kernels)) << kernels->isa;
  }
}

}  // namespace
}  // namespace sbnn
