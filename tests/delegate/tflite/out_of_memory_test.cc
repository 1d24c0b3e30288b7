// The whole delegate, called as TensorFlow Lite calls it, where any one allocation may fail.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include "delegate/report/sbnn_report.h"
#include "gtest/gtest.h"
#include "tensorflow/lite/c/common.h"
#include "tests/delegate/interpreter.h"

namespace {

// How many more allocations succeed; negative: all.
std::atomic<int64_t> allowed{-1};
std::atomic<bool> forever{false};  // not one fails but all from then on

bool Fails() {
  int64_t left = allowed.load();
  while (left >= 0) {
    if (left == 0 && forever.load()) return true;
    if (allowed.compare_exchange_weak(left, left - 1)) return left == 0;
  }
  return false;
}

void* Allocate(size_t bytes, size_t alignment) {
  if (Fails()) return nullptr;
  alignment = alignment < sizeof(void*) ? sizeof(void*) : alignment;
  void* memory = nullptr;
  return posix_memalign(&memory, alignment, bytes) == 0 ? memory : nullptr;
}

}  // namespace

void* operator new(size_t bytes) {
  void* const memory = Allocate(bytes, alignof(std::max_align_t));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  void* const memory = Allocate(bytes, static_cast<size_t>(alignment));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return Allocate(bytes, alignof(std::max_align_t));
}
void* operator new(size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return Allocate(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace sbnn {
namespace {

int errors_of_the_plugin = 0;
int64_t left_over = 0;  // of the memory

// Creates a delegate and an interpreter and runs it, with the memory that `allowed` says.
bool CreateAndRun(Interpreter* interpreter, int64_t memory) {
  const std::string cache = testing::TempDir() + "out_of_memory_cache";
  const int sink = sbnn_add_report_sink([](const char*, void*) {}, nullptr);
  const std::string number = std::to_string(sink);
  const char* const keys[] = {"num_threads", "cache_path", "claim", "report_sink", "profile"};
  const char* const values[] = {"2", cache.c_str(), "all", number.c_str(), "1"};
  std::remove(cache.c_str());
  allowed = memory;
  TfLiteDelegate* const delegate =
      tflite_plugin_create_delegate(keys, values, 5, [](const char*) { ++errors_of_the_plugin; });
  const bool good = delegate != nullptr && interpreter->Run(delegate);
  tflite_plugin_destroy_delegate(delegate);
  left_over = allowed.exchange(-1);
  sbnn_remove_report_sink(sink);
  return good;
}

TEST(OutOfMemory, AnErrorNeverAnAbort) {
  constexpr int64_t kEnough = int64_t{1} << 40;
  Interpreter enough;
  ASSERT_TRUE(CreateAndRun(&enough, kEnough));
  ASSERT_EQ(enough.claimed(), 5);
  ASSERT_EQ(enough.errors(), 0);
  const int64_t allocations = kEnough - left_over;
  for (bool all : {false, true}) {
    forever = all;
    int failures = 0;
    for (int64_t memory = 0; memory < allocations; ++memory) {
      Interpreter interpreter;
      errors_of_the_plugin = 0;
      if (CreateAndRun(&interpreter, memory)) {  // a thread or a file less: the result is there
        EXPECT_EQ(interpreter.output(), enough.output()) << "after " << memory;
      } else {
        EXPECT_GT(interpreter.errors() + errors_of_the_plugin, 0) << "failed without a word";
        ++failures;
      }
    }
    EXPECT_GT(failures, allocations / 2);
  }
  Interpreter again;
  EXPECT_TRUE(CreateAndRun(&again, kEnough)) << "nothing is broken for those that come later";
  EXPECT_EQ(again.output(), enough.output());
}

}  // namespace
}  // namespace sbnn
