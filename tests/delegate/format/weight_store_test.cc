// Packed weights that are shared and kept in a file:
// delegate/format/{hash,weight_file,weight_store}.
#include "delegate/format/weight_store.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/delegate/random.h"
#include "tests/delegate/sparse.h"

namespace sbnn {
namespace {

constexpr ColumnCost kCost = {{1.0f, 1.5f, 2.5f, 4.5f}, 0.6f, 0.5f, 96};
using Weights = std::shared_ptr<const PackedWeights>;

Hash HashOf(const std::string& text) {
  Hasher hasher;
  hasher.Add(text.data(), text.size());
  return hasher.hash();
}

TEST(Hasher, EveryByteCounts) {
  std::string text(200, '\0');
  std::set<std::pair<uint64_t, uint64_t>> seen;
  const auto see = [&](const Hash& hash) { return seen.emplace(hash.a, hash.b).second; };
  for (size_t length = 0; length <= text.size(); ++length) {
    EXPECT_TRUE(see(HashOf(text.substr(0, length)))) << length;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    for (char c : {'\x01', '\x80'}) {
      text[i] = c;
      EXPECT_TRUE(see(HashOf(text))) << i;
      text[i] = '\0';
    }
  }
  for (size_t cut : {0, 1, 64, 100}) {
    Hasher two;
    two.Add(text.data(), cut);
    two.Add(text.data() + cut, text.size() - cut);
    EXPECT_TRUE(see(two.hash())) << "two items, cut at " << cut;
  }
}

TEST(Hasher, EqualContentsAnywhere) {
  const std::string text = "the same bytes at another address, longer than a stripe of sixty-four";
  for (size_t shift = 0; shift < 9; ++shift) {
    const std::string moved = std::string(shift, 'x') + text;
    Hasher hasher;
    hasher.Add(moved.data() + shift, text.size());
    EXPECT_EQ(hasher.hash(), HashOf(text));
  }
}

// A filter with half of its groups of outputs zero.
struct Filter {
  explicit Filter(unsigned seed, std::vector<int> shape = {16, 3, 3, 10}, int structure = 4) {
    Random random(seed);
    EncodeSparse(random.Filter(shape[0], 9 * shape[3], structure, 0.5), shape,
                 GroupFormat(4, structure), &owned);
    bias = random.Floats(shape[0]);
  }
  OwnedConstant owned;
  std::vector<float> bias;
};

Weights Get(WeightStore* store, const Filter& filter, const std::string& isa = "isa") {
  Weights weights;
  const Status status = store->Get(filter.owned.constant, filter.bias, kCost, isa, &weights);
  EXPECT_TRUE(status.ok()) << status.message();
  return weights;
}

PackedWeights Packed(const Filter& filter) {
  PackedWeights packed;
  EXPECT_TRUE(Pack(filter.owned.constant, filter.bias.data(), kCost, &packed).ok());
  return packed;
}

bool Same(const PackedWeights& a, const PackedWeights& b) {
  return a.bytes() == b.bytes() && a.outputs == b.outputs && a.inputs == b.inputs &&
         a.taps == b.taps && a.group == b.group && a.block == b.block &&
         std::memcmp(a.storage.get(), b.storage.get(), a.bytes()) == 0;
}

// ---- In one process

TEST(WeightStore, EqualConstantsArePackedOnce) {
  const Filter one(1), again(1), other(2);
  WeightStore a, b;
  const Weights weights = Get(&a, one);
  EXPECT_TRUE(Same(*weights, Packed(one)));
  EXPECT_EQ(Get(&a, one), weights);
  EXPECT_EQ(Get(&b, again), weights) << "the same content elsewhere";
  EXPECT_NE(Get(&b, other), weights);
  EXPECT_NE(Get(&b, one, "another"), weights);
}

TEST(WeightStore, AllThatPackingDependsOnCounts) {
  WeightStore store;
  const Filter filter(1);
  std::set<Weights> seen = {Get(&store, filter)};
  const auto differs = [&](const Constant& constant, const std::vector<float>& bias,
                           const ColumnCost& cost) {
    Weights weights;
    EXPECT_TRUE(store.Get(constant, bias, cost, "isa", &weights).ok());
    return seen.insert(weights).second;
  };
  const Constant& c = filter.owned.constant;
  std::vector<float> bias = filter.bias;
  bias.back() += 1;
  EXPECT_TRUE(differs(c, bias, kCost));
  EXPECT_TRUE(differs(c, filter.bias, {{1, 1, 1, 1}, 0.6f, 0.5f, 96}));
  EXPECT_TRUE(differs(c, filter.bias, {{1.0f, 1.5f, 2.5f, 4.5f}, 0.7f, 0.5f, 96}));
  EXPECT_TRUE(differs(c, filter.bias, {{1.0f, 1.5f, 2.5f, 4.5f}, 0.6f, 0.4f, 96}));
  EXPECT_TRUE(differs(c, filter.bias, {{1.0f, 1.5f, 2.5f, 4.5f}, 0.6f, 0.5f, 48}));
  Constant changed = c;
  std::vector<float> values(static_cast<const float*>(c.values),
                            static_cast<const float*>(c.values) + c.value_count);
  values.back() += 1;
  changed.values = values.data();
  EXPECT_TRUE(differs(changed, filter.bias, kCost));
  changed = c;
  changed.shape = {16, 1, 9, 10};
  changed.levels[1].dense_size = 1;
  changed.levels[2].dense_size = 9;
  EXPECT_TRUE(differs(changed, filter.bias, kCost));
}

TEST(WeightStore, WeightsGoWithTheirLastUser) {
  const Filter filter(3);
  WeightStore store;
  std::weak_ptr<const PackedWeights> watched;
  {
    const Weights weights = Get(&store, filter);
    watched = weights;
  }
  EXPECT_TRUE(watched.expired());
  EXPECT_TRUE(Same(*Get(&store, filter), Packed(filter))) << "and are made anew";
}

TEST(WeightStore, FromManyThreads) {
  std::deque<Filter> filters;
  for (unsigned i = 0; i < 4; ++i) filters.emplace_back(10 + i);
  std::vector<PackedWeights> packed;
  for (const Filter& filter : filters) packed.push_back(Packed(filter));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 50; ++round) {
        WeightStore store;
        const size_t i = (t + round) % filters.size();
        if (!Same(*Get(&store, filters[i]), packed[i])) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(WeightStore, WhatCannotBePackedIsRefused) {
  const Filter filter(1);
  Constant flat = filter.owned.constant;
  flat = Constant();
  flat.shape = {3};
  const float values[] = {1, 2, 3};
  flat.values = values;
  flat.value_count = 3;
  WeightStore store;
  Weights weights;
  EXPECT_FALSE(store.Get(flat, {0, 0, 0}, kCost, "isa", &weights).ok());
}

// ---- In a file

class CacheTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "weights-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/cache";
  }
  void TearDown() override {
    chmod(folder_.c_str(), 0700);
    EXPECT_EQ(std::system(("rm -rf '" + folder_ + "'").c_str()), 0);
  }

  std::string Read() const {
    std::ifstream file(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  void Write(const std::string& content) const {
    unlink(path_.c_str());  // mappings of the old file stay as they are
    std::ofstream(path_, std::ios::binary) << content;
  }
  int FilesInFolder() const {
    int files = 0;
    std::FILE* const list = popen(("ls -A '" + folder_ + "' | wc -l").c_str(), "r");
    EXPECT_EQ(std::fscanf(list, "%d", &files), 1);
    pclose(list);
    return files;
  }
  // What a new interpreter gets, compared with what the packer makes.
  void ExpectRight(const std::vector<const Filter*>& filters) const {
    WeightStore store(path_);
    for (const Filter* filter : filters) EXPECT_TRUE(Same(*Get(&store, *filter), Packed(*filter)));
    const Status status = store.Save();
    EXPECT_TRUE(status.ok()) << status.message();
  }

  std::string folder_, path_;
};

TEST_F(CacheTest, WrittenOnceThenMapped) {
  const Filter one(1), two(2, {8, 3, 3, 20});
  ExpectRight({&one, &two});
  const std::string content = Read();
  ASSERT_FALSE(content.empty());
  EXPECT_EQ(FilesInFolder(), 1) << "nothing else is left";
  struct stat before, after;
  stat(path_.c_str(), &before);
  {
    WeightStore store(path_);
    const Weights weights = Get(&store, one);
    const char* const data = static_cast<const char*>(weights->storage.get());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 64, 0u);
    std::ifstream maps("/proc/self/maps");
    const std::string text(std::istreambuf_iterator<char>(maps), {});
    EXPECT_NE(text.find(path_), std::string::npos) << "not mapped";
    EXPECT_TRUE(store.Save().ok());
    unlink(path_.c_str());
    EXPECT_TRUE(Same(*weights, Packed(one))) << "after the file is gone";
    Write(content);
  }
  stat(path_.c_str(), &before);
  ExpectRight({&two, &one});
  stat(path_.c_str(), &after);
  EXPECT_EQ(before.st_ino, after.st_ino) << "written again without need";
  std::ifstream maps("/proc/self/maps");
  const std::string text(std::istreambuf_iterator<char>(maps), {});
  EXPECT_EQ(text.find(path_), std::string::npos) << "still mapped";
}

TEST_F(CacheTest, AnotherModelOrInstructionSetReplacesIt) {
  const Filter one(1), two(2);
  ExpectRight({&one});
  ExpectRight({&one, &two});
  ExpectRight({&two});
  const std::string content = Read();
  WeightStore store(path_);
  Get(&store, two, "another");
  EXPECT_TRUE(store.Save().ok());
  EXPECT_NE(Read(), content);
}

// The graphs of a model come one after another, and a file that has the weights of all stays.
TEST_F(CacheTest, GraphsOfAModelShareIt) {
  const Filter one(1), two(2), three(3);
  struct stat before, after;
  for (int time = 0; time < 2; ++time) {
    stat(path_.c_str(), &before);
    WeightStore store(path_);
    for (const Filter* filter : {&one, &two, &three, &one}) {
      EXPECT_TRUE(Same(*Get(&store, *filter), Packed(*filter)));
      EXPECT_EQ(store.bytes(), Packed(*filter).bytes()) << "of this graph";
      EXPECT_TRUE(store.Save().ok());
    }
    stat(path_.c_str(), &after);
  }
  EXPECT_EQ(before.st_ino, after.st_ino) << "written again without need";
}

TEST_F(CacheTest, WeightsInUseElsewhereAreWrittenToo) {
  const Filter filter(1);
  WeightStore other;
  const Weights in_use = Get(&other, filter);
  ExpectRight({&filter});
  EXPECT_FALSE(Read().empty());
}

// Cut anywhere, and with any byte changed: found out, made anew.
TEST_F(CacheTest, DamageIsFoundOut) {
  const Filter one(1, {8, 3, 3, 4}), two(2, {4, 3, 3, 2});
  ExpectRight({&one, &two});
  const std::string content = Read();
  for (size_t i = 0; i < content.size(); i += i < 160 ? 1 : 17) {
    Write(content.substr(0, i));
    ExpectRight({&one, &two});
    ASSERT_EQ(Read(), content) << "cut at " << i << " and not made anew";
    std::string damaged = content;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    Write(damaged);
    ExpectRight({&one, &two});
  }
  for (const std::string& other : {std::string(), std::string("TFL3"), std::string(5000, '\xff')}) {
    Write(other);
    ExpectRight({&one, &two});
    ASSERT_EQ(Read(), content);
  }
}

// Hashes can be forged: sizes and indices are checked all the same.
TEST_F(CacheTest, ForgedIndicesAreRefused) {
  const PackedWeights fours = Packed(Filter(1)),
                      unstructured = Packed(Filter(1, {16, 3, 3, 90}, 1));
  ASSERT_EQ(fours.group, 4);
  ASSERT_FALSE(fours.unstructured());
  ASSERT_GT(unstructured.blocks(), 1);
  const auto forge = [&](const PackedWeights& good,
                         const std::function<void(PackedWeights*, char*)>& change) {
    // With room behind it, for what forged sizes say is there.
    std::shared_ptr<char> copy(static_cast<char*>(std::calloc(1, good.bytes() + (1 << 16))),
                               std::free);
    std::memcpy(copy.get(), good.storage.get(), good.bytes());
    PackedWeights weights(good, copy);
    change(&weights, copy.get());
    const Hash key = HashOf("key");
    FiledWeights filed = Filed(std::make_shared<const PackedWeights>(weights));
    EXPECT_TRUE(WriteWeightFile(path_, {{key, filed}}).ok());
    std::shared_ptr<const WeightFile> file;
    EXPECT_TRUE(WeightFile::Open(path_, &file).ok());
    std::shared_ptr<const PackedWeights> found;
    EXPECT_TRUE(WeightFile::Find(file, key, &filed));
    FromFile(filed, &found);
    return found;
  };
  const auto forged = [&](const auto& change) { return forge(fours, change); };
  const auto set = [](const auto& view, size_t i, auto value) {
    auto* const p =
        const_cast<std::remove_const_t<std::remove_reference_t<decltype(view[0])>>*>(view.data());
    p[i] = static_cast<std::remove_reference_t<decltype(*p)>>(value);
  };
  EXPECT_NE(forged([](PackedWeights*, char*) {}), nullptr);
  EXPECT_EQ(forged([&](PackedWeights* w, char*) { set(w->columns, 3, 90); }), nullptr);
  EXPECT_EQ(forged([&](PackedWeights* w, char*) { set(w->columns, 0, 65535); }), nullptr);
  EXPECT_EQ(forged([&](PackedWeights* w, char*) { set(w->group_begin, 0, 1); }), nullptr);
  EXPECT_EQ(forged([&](PackedWeights* w, char*) { set(w->group_begin, 1, 1u << 31); }), nullptr);
  EXPECT_EQ(forged([&](PackedWeights* w, char*) { set(w->group_begin, w->groups(), 7); }), nullptr);
  EXPECT_EQ(forged([](PackedWeights* w, char*) { w->group = 3; }), nullptr);
  EXPECT_EQ(forged([](PackedWeights* w, char*) { w->outputs = 0; }), nullptr);
  EXPECT_EQ(forged([](PackedWeights* w, char*) { w->inputs = -10; }), nullptr);
  EXPECT_EQ(forged([](PackedWeights* w, char*) { w->taps = 65536; }), nullptr);
  EXPECT_EQ(forged([](PackedWeights* w, char*) { w->block = 11; }), nullptr);
  EXPECT_EQ(forged([](PackedWeights* w, char*) { w->block = -1; }), nullptr);
  EXPECT_EQ(forged([](PackedWeights* w, char*) { --w->value_count; }), nullptr);

  EXPECT_NE(forge(unstructured, [](PackedWeights*, char*) {}), nullptr);
  EXPECT_EQ(forge(unstructured, [&](PackedWeights* w, char*) { set(w->columns, 3, 90 * 9); }),
            nullptr);
  EXPECT_EQ(
      forge(unstructured, [&](PackedWeights* w, char*) { set(w->group_begin, w->segments(), 7); }),
      nullptr);
  EXPECT_EQ(forge(unstructured, [](PackedWeights* w, char*) { w->block = 90; }), nullptr);
  EXPECT_EQ(forge(unstructured, [](PackedWeights* w, char*) { w->group = 8; }), nullptr);
  const auto forge_pair = [&](const auto& change) {
    return forge(unstructured, [&](PackedWeights* w, char*) {
      size_t i = 0;
      while (w->pairs[i].both < 2) ++i;
      change(const_cast<OutputPair*>(&w->pairs[i]));
    });
  };
  EXPECT_EQ(forge_pair([](OutputPair* p) { ++p->both; }), nullptr);
  EXPECT_EQ(forge_pair([](OutputPair* p) { --p->one; }), nullptr);
  EXPECT_EQ(forge_pair([](OutputPair* p) { p->output[0] = 16; }), nullptr);
  EXPECT_EQ(forge_pair([](OutputPair* p) { p->output[1] = 255; }), nullptr);
  // The same number of columns, but two weights less.
  EXPECT_EQ(forge_pair([](OutputPair* p) { p->both -= 2, ++p->one; }), nullptr);
}

TEST_F(CacheTest, WhereNothingCanBeWritten) {
  const Filter filter(1);
  for (const std::string& path :
       {folder_ + "/missing/cache", std::string("/dev/full/cache"), folder_}) {
    WeightStore store(path);
    EXPECT_TRUE(Same(*Get(&store, filter), Packed(filter)));
    const Status status = store.Save();
    EXPECT_FALSE(status.ok()) << path;
    EXPECT_NE(status.message().find(path), std::string::npos) << status.message();
  }
}

TEST_F(CacheTest, AFullDisk) {
  const Filter filter(1, {64, 3, 3, 64});
  // A limit on the size of files stands for the disk.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit = {4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    WeightStore store(path_);
    const bool same = Same(*Get(&store, filter), Packed(filter));
    _exit(same && !store.Save().ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(FilesInFolder(), 0) << "half a file is left";
}

TEST_F(CacheTest, ManyWritersAtOnce) {
  const Filter one(1), two(2);
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      bool good = true;
      for (int round = 0; round < 20; ++round) {
        WeightStore store(path_);
        const Filter& filter = (i + round) % 2 == 0 ? one : two;
        good = good && Same(*Get(&store, filter), Packed(filter)) && store.Save().ok();
      }
      _exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(FilesInFolder(), 1);
  ExpectRight({&one, &two});
}

}  // namespace
}  // namespace sbnn
