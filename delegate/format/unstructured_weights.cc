#include "delegate/format/unstructured_weights.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <tuple>

namespace sbnn {
namespace {

// Outputs of about the same length among which a partner is looked for: more find none better.
constexpr size_t kCandidates = 32;

// A bit for each column of a block.
using ColumnSet = std::array<uint64_t, (kUnstructuredColumns + 63) / 64>;

bool Has(const ColumnSet& set, int i) { return (set[i / 64] >> i % 64 & 1) != 0; }

int SizeOfBoth(const ColumnSet& a, const ColumnSet& b) {
  int size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const uint64_t both = a[i] & b[i];
    if (both != 0) size += __builtin_popcountll(both);
  }
  return size;
}

struct Match {
  int output[2];
  int both, one;
};

std::vector<ColumnSet> SetsOf(const std::vector<UnstructuredRow>& rows, int first_column) {
  std::vector<ColumnSet> sets(rows.size(), ColumnSet{});
  for (size_t o = 0; o < rows.size(); ++o) {
    for (uint16_t column : rows[o].columns) {
      const int bit = column - first_column;
      sets[o][bit / 64] |= uint64_t{1} << bit % 64;
    }
  }
  return sets;
}

// Pairs of rows with equal lengths and many columns that both have.
std::vector<Match> MatchRows(const std::vector<UnstructuredRow>& rows,
                             const std::vector<ColumnSet>& sets) {
  const auto length = [&](int o) { return static_cast<int>(rows[o].columns.size()); };
  std::vector<int> left(rows.size());
  std::iota(left.begin(), left.end(), 0);
  std::stable_sort(left.begin(), left.end(), [&](int a, int b) { return length(a) < length(b); });
  std::vector<Match> matches;
  while (!left.empty()) {
    const int a = left.front();
    // A weight that is missing costs a multiplication by zero, one that both have saves a load.
    size_t best = 0;
    int best_score = 0, both = 0;
    for (size_t k = 1; k < std::min(left.size(), 1 + kCandidates); ++k) {
      const int common = SizeOfBoth(sets[a], sets[left[k]]);
      const int score = common - 2 * (length(left[k]) - length(a));
      if (best > 0 && score <= best_score) continue;
      best = k;
      best_score = score;
      both = common;
    }
    const int b = left[best];
    matches.push_back({{a, b}, both, std::max(length(a), length(b)) - both});
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(best));
    left.erase(left.begin());
  }
  return matches;
}

}  // namespace

void AppendWindow(const std::vector<UnstructuredRow>& given, int first_column,
                  UnstructuredBlock* block) {
  std::vector<UnstructuredRow> padded;
  if (given.size() % 2 != 0) {
    padded = given;
    padded.emplace_back();
  }
  const std::vector<UnstructuredRow>& rows = padded.empty() ? given : padded;
  const std::vector<ColumnSet> sets = SetsOf(rows, first_column);
  std::vector<Match> matches = MatchRows(rows, sets);
  // Loops that are as long as those before them are foreseen.
  std::stable_sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) {
    return std::tie(a.both, a.one) < std::tie(b.both, b.one);
  });
  for (const Match& match : matches) {
    block->pairs.push_back(
        {{static_cast<uint8_t>(match.output[0]), static_cast<uint8_t>(match.output[1])},
         static_cast<uint8_t>(match.both),
         static_cast<uint8_t>(match.one)});
    const size_t steps = static_cast<size_t>(match.both) + match.one;
    block->columns.resize(block->columns.size() + steps + match.one);
    block->values.resize(block->values.size() + 2 * steps, 0.0f);
    uint16_t* const columns = block->columns.data() + block->columns.size() - (steps + match.one);
    float* const values = block->values.data() + block->values.size() - 2 * steps;
    uint16_t* const single = columns + match.both;
    int alone[2];
    for (int i = 0; i < 2; ++i) {
      const UnstructuredRow& row = rows[match.output[i]];
      const ColumnSet& other = sets[match.output[1 - i]];
      int both = 0, one = 0;
      for (size_t k = 0; k < row.columns.size(); ++k) {
        const uint16_t column = row.columns[k];
        if (Has(other, column - first_column)) {
          columns[both] = column;
          values[2 * both++ + i] = row.values[k];
        } else {
          single[2 * one + i] = column;
          values[2 * (match.both + one++) + i] = row.values[k];
        }
      }
      alone[i] = one;
    }
    for (int i = 0; i < 2; ++i) {
      for (int k = alone[i]; k < match.one; ++k) single[2 * k + i] = single[2 * k + 1 - i];
    }
  }
}

}  // namespace sbnn
