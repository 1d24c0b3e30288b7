// Files that are damaged in all manner of ways: an error or a network that runs, never a crash, a
// hang or memory without end. Under ASan (`bazel test --config=asan`) nothing outside of the file's
// bytes is read either. SBNN_FUZZ_ROUNDS says how many of each model (`make fuzz-reader`).
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "delegate/file/model.h"
#include "delegate/file/session.h"
#include "delegate/translation/options.h"
#include "delegate/translation/types.h"
#include "gtest/gtest.h"
#include "tests/delegate/file/try_file.h"
#include "tests/delegate/random.h"

namespace sbnn {
namespace {

using Bytes = std::vector<uint8_t>;

const std::vector<std::string> kModels = {
    "seed_56",  "seed_156", "seed_180", "seed_192", "seed_233",        "seed_241",       "seed_245",
    "seed_280", "int8_150", "int8_181", "int8_192", "int8_layers_122", "int8_layers_418"};

Bytes ReadModel(const std::string& name, const std::string& folder = "models") {
  std::ifstream file("tests/delegate/file/" + folder + "/" + name + ".tflite", std::ios::binary);
  EXPECT_TRUE(file) << name;
  return Bytes(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

Options DefaultOptions() {
  Options options;
  EXPECT_TRUE(ParseOptions(nullptr, nullptr, 0, &options).ok());
  return options;
}

Outcome Try(const Bytes& bytes, const Options& options) {
  return TryFile(bytes.data(), bytes.size(), options);
}

// One to four changes of any kind.
Bytes Mutated(Bytes bytes, Random* random) {
  for (int change = random->Int(1, 4); change > 0; --change) {
    const int last = static_cast<int>(bytes.size()) - 1;
    if (last < 16) break;
    const int at = random->Int(0, last - 8);
    switch (random->Int(0, 5)) {
      case 0:
        bytes[at] ^= static_cast<uint8_t>(1 << random->Int(0, 7));
        break;
      case 1:
        bytes[at] = random->Pick<uint8_t>({0, 1, 2, 127, 128, 254, 255});
        break;
      case 2: {  // an offset, a size or a number, a little or very different
        int32_t value = 0;
        std::memcpy(&value, &bytes[at & ~3], sizeof(value));
        const uint32_t changed =
            static_cast<uint32_t>(value) +
            static_cast<uint32_t>(random->Pick<int>({-4, -1, 1, 4, 1 << 16, -(1 << 30)}));
        std::memcpy(&bytes[at & ~3], &changed, sizeof(changed));
        break;
      }
      case 3: {  // something from elsewhere
        const int from = random->Int(0, last - 8), count = random->Int(1, 8);
        std::memmove(&bytes[at], &bytes[from], static_cast<size_t>(count));
        break;
      }
      case 4:
        if (random->Chance(0.2)) bytes.resize(static_cast<size_t>(random->Int(0, last)));
        break;
      default:
        std::swap(bytes[at], bytes[at + 1]);
    }
  }
  return bytes;
}

class MutatedModels : public testing::TestWithParam<std::string> {};

TEST_P(MutatedModels, AreAnErrorOrRun) {
  const Options options = DefaultOptions();
  const Bytes whole = ReadModel(GetParam());
  ASSERT_EQ(Try(whole, options), Outcome::kRan);
  const char* const told = std::getenv("SBNN_FUZZ_ROUNDS");
#if defined(__x86_64__)
  const int rounds = told == nullptr ? 1500 : std::atoi(told);
#else
  const int rounds = told == nullptr ? 100 : std::atoi(told);  // emulated
#endif
  int counts[4] = {};
  for (int round = 0; round < rounds; ++round) {
    Random random(static_cast<unsigned>(round));
    try {
      ++counts[static_cast<int>(Try(Mutated(whole, &random), options))];
    } catch (const std::bad_alloc&) {  // as whoever calls must expect
      ++counts[static_cast<int>(Outcome::kNotPlanned)];
    }
  }
  std::cout << GetParam() << ": " << rounds << " files, " << counts[0] << " damaged, " << counts[1]
            << " refused, " << counts[2] << " not planned, " << counts[3] << " ran" << std::endl;
  // Else the mutations would show nothing.
  EXPECT_GT(counts[0], rounds / 20);
  EXPECT_GT(counts[3], rounds / 20);
}

TEST_P(MutatedModels, TruncatedAnywhere) {
  const Options options = DefaultOptions();
  const Bytes whole = ReadModel(GetParam());
  for (size_t size = 0; size < whole.size(); size += 1 + whole.size() / 300) {
    Try(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), options);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, MutatedModels, testing::ValuesIn(kModels),
                         [](const auto& info) { return info.param; });

// What libFuzzer found: an image of a hundred million rows, whose places behind a stride were
// computed in 32 bits, so that it was refused; and rows without pixels, that a convolution went to.
TEST(Model, FoundFiles) {
  for (const char* name : {"many_rows", "empty_rows"}) {
    EXPECT_EQ(Try(ReadModel(name, "found"), DefaultOptions()), Outcome::kRan) << name;
  }
}

TEST(Model, SaysWhatIsNoModel) {
  std::unique_ptr<Model> model;
  const Bytes text(64, 'x');
  EXPECT_EQ(Model::Read(text.data(), text.size(), &model).message(),
            "no .tflite file: expected \"TFL3\" at byte 4");
  EXPECT_EQ(Model::Read(text.data(), 3, &model).message(),
            "no .tflite file: expected \"TFL3\" at byte 4");
}

TEST(Model, SaysWhereAFileEnds) {
  const Bytes whole = ReadModel("seed_280");
  std::unique_ptr<Model> model;
  const Bytes half(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() / 2));
  const std::string message = Model::Read(half.data(), half.size(), &model).message();
  EXPECT_EQ(message.rfind("the file is damaged: ", 0), 0u) << message;
}

// Other writers than TensorFlow's align constants to less than a vector.
TEST(Model, MayLieAnywhereInMemory) {
  const Options options = DefaultOptions();
  const Bytes whole = ReadModel("seed_192");
  for (size_t shift = 1; shift < 8; ++shift) {
    Bytes shifted(whole.size() + shift);
    std::copy(whole.begin(), whole.end(), shifted.begin() + static_cast<std::ptrdiff_t>(shift));
    std::unique_ptr<Model> model;
    ASSERT_TRUE(Model::Read(shifted.data() + shift, whole.size(), &model).ok());
    std::unique_ptr<Session> session;
    EXPECT_TRUE(Session::Make(model.get(), 0, options, &session).ok());
  }
}

}  // namespace
}  // namespace sbnn
