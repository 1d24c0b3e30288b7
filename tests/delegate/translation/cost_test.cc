#include "delegate/translation/cost.h"

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

}  // namespace
}  // namespace sbnn
