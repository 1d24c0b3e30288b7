// Every micro-kernel of the table against a plain reference. One test for each row of the table, so
// that a kernel without a test is a failure. Arrays end, or begin, at unmapped pages where kernels.h
// grants no room, and have exactly the room that it grants.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iostream>
#include <iterator>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "delegate/format/half.h"
#include "delegate/kernels/table.h"
#include "gtest/gtest.h"
#include "tests/delegate/guarded.h"
#include "tests/delegate/random.h"

namespace sbnn {

void PrintTo(const KernelRow& row, std::ostream* out) { *out << row.kernels->isa << ' ' << row.name; }

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr Edge kEdges[] = {Edge::kBegin, Edge::kEnd};

struct Limits {
  float lo, hi;
};
const std::vector<Limits> kLimits = {{-kInfinity, kInfinity}, {0, kInfinity}, {0, 6}, {-1, 1}};

double Clamped(double value, Limits limits) {
  return std::min<double>(std::max<double>(value, limits.lo), limits.hi);
}

// ---- Sparse products

// Random groups of columns, some of them empty, in arrays that end where they should.
template <typename T>
struct Groups {
  std::vector<uint32_t> begin;
  std::vector<uint16_t> columns;
  Guarded<T> weights, bias;

  Groups(const std::vector<int>& sizes, int inputs, int group, Random* random)
      : begin(Begin(sizes)),
        weights(random->Floats(begin.back() * group)),
        bias(random->Floats(sizes.size() * group)) {
    for (uint32_t i = 0; i < begin.back(); ++i) {
      columns.push_back(static_cast<uint16_t>(random->Int(0, inputs - 1)));
    }
  }
  static std::vector<uint32_t> Begin(const std::vector<int>& sizes) {
    std::vector<uint32_t> begin = {0};
    for (int s : sizes) begin.push_back(begin.back() + static_cast<uint32_t>(s));
    return begin;
  }
};

const std::vector<std::vector<int>> kGroupColumns = {{1}, {0}, {7, 0, 3}, {0, 5, 4, 0}, {33, 2, 0, 1, 16}};

template <typename T>
void TestSpmm(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const SpmmTiles* tiles = k.spmm[GroupIndex(row.group)];
  while (tiles->tail != row.tail) ++tiles;
  const SpmmFn spmm = tiles->kernel[row.vectors - 1];
  Random random(1);
  const size_t tile = static_cast<size_t>(row.vectors) * k.lanes + row.tail;
  for (const std::vector<int>& sizes : kGroupColumns) {
    for (int channels : {1, 3, 16}) {
      for (Edge edge : kEdges) {
        const Groups<T> g(sizes, channels, row.group, &random);
        const uint32_t groups = static_cast<uint32_t>(sizes.size());
        // Planes that begin anywhere; the last one ends with the tile.
        const size_t plane = tile + random.Int(0, 5);
        const Guarded<T> x(random.Floats((channels - 1) * plane + tile), edge);
        const int origin = random.Int(0, channels - 1);  // offsets may go back, too
        std::vector<int32_t> offsets;
        for (uint16_t c : g.columns) {
          offsets.push_back(static_cast<int32_t>((c - origin) * static_cast<int>(plane * sizeof(T))));
        }
        const Guarded<int32_t> offset_bytes(offsets);
        const Guarded<uint32_t> begin(g.begin);
        const size_t y_stride = tile + random.Int(0, 1) * 7;
        const size_t outputs = groups * row.group;
        Guarded<T> y((outputs - 1) * y_stride + tile, edge);
        const Limits limits = random.Pick(kLimits);
        const uint32_t first = random.Int(0, 1) * (groups / 2);
        const uint32_t end = groups - random.Int(0, 1) * (groups / 3);
        const bool add = random.Chance(0.5);
        const Guarded<T> added(random.Floats(y.size()), edge);
        spmm({x.data() + origin * plane, y.data(), y_stride, begin.data(), offset_bytes.data(),
              g.weights.data(), g.bias.data(), first, end, limits.lo, limits.hi,
              add ? added.data() : nullptr, nullptr, nullptr, 0});
        for (size_t i = 0; i < y.size(); ++i) {
          const size_t output = i / y_stride, pixel = i % y_stride, of = output / row.group;
          if (pixel >= tile || of < first || of >= end) {
            ASSERT_TRUE(y.Untouched(i)) << i;
            continue;
          }
          double want = g.bias[output] + (add ? float{added[i]} : 0.0f);
          for (uint32_t c = g.begin[of]; c < g.begin[of + 1]; ++c) {
            want += double{g.weights[c * row.group + output % row.group]} *
                    x[g.columns[c] * plane + pixel];
          }
          ASSERT_EQ(y[i], Clamped(want, limits)) << "output " << output << " pixel " << pixel;
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

// A segment of mixed weights, see PackedWeights, of `outputs` outputs.
struct MixedSegment {
  std::vector<OutputPair> pairs;
  std::vector<uint16_t> columns;
  std::vector<float> values;
  std::vector<std::vector<std::pair<uint16_t, float>>> weights;  // [outputs]: column, weight

  MixedSegment(int outputs, int inputs, int longest, Random* random) : weights(outputs) {
    std::vector<int> order(outputs);
    for (int o = 0; o < outputs; ++o) {
      order[o] = o;
      std::swap(order[o], order[random->Int(0, o)]);
    }
    const auto step = [&](std::initializer_list<int> served) {
      columns.push_back(static_cast<uint16_t>(random->Int(0, inputs - 1)));
      for (int o : served) {
        values.push_back(random->Floats(1)[0]);
        weights[o].emplace_back(columns.back(), values.back());
      }
    };
    for (int o = 0; o < outputs; o += 2) {
      const int both = random->Int(0, longest), one = random->Int(0, longest);
      const int a = order[o], b = order[o + 1];
      pairs.push_back({{static_cast<uint8_t>(a), static_cast<uint8_t>(b)},
                       static_cast<uint8_t>(both),
                       static_cast<uint8_t>(one)});
      for (int i = 0; i < both; ++i) step({a, b});
      for (int i = 0; i < one; ++i) {
        step({a});
        step({b});
      }
    }
  }
};

template <typename T>
void TestSpmmMixed(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const SpmmTiles* tiles = k.spmm[kMixedKind];
  while (tiles->tail != row.tail) ++tiles;
  const SpmmFn spmm = tiles->kernel[row.vectors - 1];
  Random random(21);
  const size_t tile = static_cast<size_t>(row.vectors) * k.lanes + row.tail;
  // Behind a tail of one pixel three more are read.
  const size_t read = tile + (row.tail == 1 ? 3 : 0);
  for (int outputs : {2, 6, kMixedGroup}) {
    for (int channels : {1, 3, 16}) {
      for (Edge edge : kEdges) {
        const MixedSegment s(outputs, channels, outputs > 6 ? 3 : 9, &random);
        const size_t plane = read + random.Int(0, 5);
        const Guarded<T> x(random.Floats((channels - 1) * plane + read), edge);
        std::vector<int32_t> offsets;
        for (uint16_t c : s.columns) {
          offsets.push_back(static_cast<int32_t>(c * plane * sizeof(T)));
        }
        const Guarded<int32_t> offset_bytes(offsets);
        const Guarded<T> weights(s.values);
        const Guarded<OutputPair> pairs(s.pairs);
        const size_t y_stride = tile + random.Int(0, 1) * 7;
        const Guarded<T> bias(random.Floats(outputs));
        Guarded<T> y((outputs - 1) * y_stride + tile, edge);
        const Limits limits = random.Pick(kLimits);
        // As a first block, as one with something to add, as a later one that adds to the output.
        const bool biased = random.Chance(0.5), add = random.Chance(0.6);
        const bool in_place = add && random.Chance(0.5);
        const Guarded<T> added(random.Floats(y.size()), edge);
        if (in_place) std::copy(added.data(), added.data() + added.size(), y.begin());
        spmm({x.data(), y.data(), y_stride, nullptr, offset_bytes.data(), weights.data(),
              biased ? bias.data() : nullptr, 0, static_cast<uint32_t>(pairs.size()), limits.lo,
              limits.hi, in_place ? y.data() : add ? added.data() : nullptr, pairs.data(), nullptr, 0});
        for (size_t i = 0; i < y.size(); ++i) {
          const size_t output = i / y_stride, pixel = i % y_stride;
          if (pixel >= tile) {
            ASSERT_TRUE(in_place ? y[i] == added[i] : y.Untouched(i)) << i;
            continue;
          }
          double want = (biased ? float{bias[output]} : 0.0f) + (add ? float{added[i]} : 0.0f);
          for (const auto& [column, weight] : s.weights[output]) {
            want += double{weight} * double{x[column * plane + pixel]};
          }
          ASSERT_EQ(y[i], Clamped(want, limits)) << "output " << output << " pixel " << pixel;
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

template <typename T>
void TestSpmv(const KernelRow& row) {
  const SpmvFn spmv = row.kernels->spmv[GroupIndex(row.group)];
  Random random(2);
  std::vector<std::vector<int>> all_sizes = kGroupColumns;
  for (int n = 1; n <= 36; ++n) all_sizes.push_back({n, n + 1});
  for (const std::vector<int>& sizes : all_sizes) {
    for (int inputs : {1, 4, 50}) {
      for (Edge edge : kEdges) {
        const Groups<T> g(sizes, inputs, row.group, &random);
        const uint32_t groups = static_cast<uint32_t>(sizes.size());
        const Guarded<T> x(random.Floats(inputs), edge);
        const Guarded<uint16_t> columns(g.columns);
        const Guarded<uint32_t> begin(g.begin);
        Guarded<T> y(groups * row.group, edge);
        const Limits limits = random.Pick(kLimits);
        const uint32_t first = random.Int(0, 1) * (groups / 2);
        const uint32_t end = groups - random.Int(0, 1) * (groups / 3);
        spmv({x.data(), y.data(), begin.data(), columns.data(), g.weights.data(), g.bias.data(),
              first, end, limits.lo, limits.hi});
        for (size_t output = 0; output < y.size(); ++output) {
          const size_t of = output / row.group;
          if (of < first || of >= end) {
            ASSERT_TRUE(y.Untouched(output));
            continue;
          }
          double want = g.bias[output];
          for (uint32_t c = g.begin[of]; c < g.begin[of + 1]; ++c) {
            want += double{g.weights[c * row.group + output % row.group]} * x[g.columns[c]];
          }
          ASSERT_EQ(y[output], Clamped(want, limits));
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

template <typename T>
void TestScaleColumns(const KernelRow& row) {
  Random random(12);
  for (int group : kGroupSizes) {
    for (int count = 0; count <= 20; ++count) {
      for (Edge edge : kEdges) {
        const int inputs = random.Int(1, 30);
        const Guarded<T> factors(random.Floats(inputs), edge);
        const Guarded<T> weights(random.Floats(count * group), edge);
        std::vector<uint16_t> inputs_of(count);
        for (uint16_t& input : inputs_of) input = static_cast<uint16_t>(random.Int(0, inputs - 1));
        const Guarded<uint16_t> columns(inputs_of);
        Guarded<T> y(count * group, edge);
        row.kernels->scale_columns({weights.data(), columns.data(), factors.data(), y.data(),
                                    static_cast<size_t>(count), group});
        for (int i = 0; i < count * group; ++i) {
          ASSERT_EQ(y[i], weights[i] * factors[inputs_of[i / group]]) << "groups of " << group;
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

// ---- Depthwise

template <typename T>
void TestDepthwise(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(3);
  for (int width = 1; width <= 3 * k.lanes + 1; ++width) {
    for (int taps : {1, 3, 9, 25}) {
      const int rows = random.Int(1, 4), stride = random.Int(1, 3);
      const size_t room = k.lanes - 1;  // a vector that begins at the last pixel
      const size_t row_stride = width + 4;
      std::vector<int32_t> offsets;
      for (int t = 0; t < taps; ++t) {
        offsets.push_back(static_cast<int32_t>(random.Int(0, 2) * row_stride) + random.Int(0, 4));
      }
      const size_t last_pixel = *std::max_element(offsets.begin(), offsets.end()) +
                                (rows - 1) * stride * row_stride + width - 1;
      const Edge edge = kEdges[random.Int(0, 1)];
      Guarded<T> x(last_pixel + 1 + room, edge);
      const std::vector<float> pixels = random.Floats(last_pixel + 1);
      std::fill(x.begin(), x.end(), kNaN);
      std::copy(pixels.begin(), pixels.end(), x.begin());
      const Guarded<int32_t> tap_offset(offsets);
      const Guarded<T> weights(random.Floats(taps));
      const Limits limits = random.Pick(kLimits);
      // Nothing behind the last row may be written: another thread's rows may be there.
      Guarded<T> y(static_cast<size_t>(rows) * width, edge);
      k.depthwise({x.data(), row_stride, y.data(), static_cast<size_t>(width), rows, width, stride,
                   taps, tap_offset.data(), weights.data(), 2.0f, limits.lo, limits.hi});
      for (int r = 0; r < rows; ++r) {
        for (int i = 0; i < width; ++i) {
          double want = 2;
          for (int t = 0; t < taps; ++t) {
            want += double{weights[t]} * x[r * stride * row_stride + offsets[t] + i];
          }
          ASSERT_EQ(y[r * width + i], Clamped(want, limits)) << "row " << r << " pixel " << i;
        }
      }
      ASSERT_TRUE(y.Intact());
    }
  }
}

struct DirectCase {
  int kernel, stride, in_h, in_w, out_h, out_w, pad_top, pad_left;
};

// All channels, the rows in the given parts, one after the other in that order.
template <typename T>
void RunDirect(DepthwiseDirectFn depthwise, const DirectCase& c, const std::vector<int>& cuts, bool backwards,
            Edge edge, Random* random) {
  const int channels = random->Int(1, 3);
  const size_t in_pixels = static_cast<size_t>(c.in_h) * c.in_w;
  const size_t out_pixels = static_cast<size_t>(c.out_h) * c.out_w;
  constexpr size_t before = kMaxLanes, behind = 2 * kMaxLanes;
  const size_t x_stride = in_pixels + before + behind + random->Int(0, 3);
  const size_t y_stride = out_pixels + random->Int(0, 3);
  Guarded<T> x(before + (channels - 1) * x_stride + in_pixels + behind, edge);
  std::fill(x.begin(), x.end(), kNaN);  // the room is read and ignored
  const T* const first_plane = x.data() + before;
  for (int n = 0; n < channels; ++n) {
    const std::vector<float> plane = random->Floats(in_pixels);
    std::copy(plane.begin(), plane.end(), x.begin() + before + n * x_stride);
  }
  Guarded<T> y((channels - 1) * y_stride + out_pixels, edge);
  const Guarded<T> weights(random->Floats(c.kernel * c.kernel * channels)), bias(random->Floats(channels));
  const Limits limits = random->Pick(kLimits);

  std::vector<int> parts(cuts.size() - 1);
  for (size_t i = 0; i < parts.size(); ++i) parts[i] = static_cast<int>(backwards ? parts.size() - 1 - i : i);
  std::vector<bool> done(c.out_h, false);
  for (int part : parts) {
    DepthwiseDirectArgs a{};
    a.x = first_plane;
    a.x_stride = x_stride;
    a.in_h = c.in_h;
    a.in_w = c.in_w;
    a.y = y.data();
    a.y_stride = y_stride;
    a.out_w = c.out_w;
    a.first_row = cuts[part];
    a.end_row = cuts[part + 1];
    a.pad_top = c.pad_top;
    a.pad_left = c.pad_left;
    a.channels = channels;
    a.weights = weights.data();
    a.bias = bias.data();
    a.lo = limits.lo;
    a.hi = limits.hi;
    depthwise(a);
    std::fill(done.begin() + a.first_row, done.begin() + a.end_row, true);
    for (size_t i = 0; i < y.size(); ++i) {
      const size_t channel = i / y_stride, pixel = i % y_stride;
      const int row = static_cast<int>(pixel / c.out_w), column = static_cast<int>(pixel % c.out_w);
      if (pixel >= out_pixels || !done[row]) {
        ASSERT_TRUE(y.Untouched(i)) << "channel " << channel << " row " << row << " column " << column;
        continue;
      }
      double want = bias[channel];
      for (int t = 0; t < c.kernel * c.kernel; ++t) {
        const int sy = row * c.stride + t / c.kernel - c.pad_top;
        const int sx = column * c.stride + t % c.kernel - c.pad_left;
        if (sy < 0 || sy >= c.in_h || sx < 0 || sx >= c.in_w) continue;
        want += double{weights[c.kernel * c.kernel * channel + t]} * first_plane[channel * x_stride + sy * c.in_w + sx];
      }
      ASSERT_EQ(y[i], Clamped(want, limits))
          << "channel " << channel << " row " << row << " column " << column;
    }
  }
  ASSERT_TRUE(y.Intact());
}

template <typename T>
void TestDepthwiseDirect(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const bool pairs = row.name.find("pairs") != std::string::npos;
  const int kernel = row.name.find("3x3") != std::string::npos ? 3 : 5;
  const int stride = row.name.find("s1") != std::string::npos ? 1 : 2;
  const DepthwiseDirectFn depthwise =
      (pairs ? k.depthwise_pairs : k.depthwise_direct)[(kernel - 3) / 2][stride - 1];
  Random random(4);
  for (int in_w = 1; in_w <= stride * (3 * k.lanes + 1); in_w += in_w < 20 ? 1 : 3) {
    for (int in_h : {1, 2, 3, 4, 5, 6, 8, 13}) {
      // Mostly what SAME and VALID give; now and then a wide margin that a PAD left.
      const int widest = random.Chance(0.2) ? kMaxLanes : 2;
      const int pad_top = random.Int(0, widest), pad_left = random.Int(0, widest);
      const int pad_bottom = random.Int(0, widest), pad_right = random.Int(0, widest);
      DirectCase c{kernel, stride, in_h, in_w, 0, 0, pad_top, pad_left};
      const int reach_h = in_h + pad_top + pad_bottom - kernel;
      const int reach_w = in_w + pad_left + pad_right - kernel;
      if (reach_h < 0 || reach_w < 0) continue;
      if (pairs && (in_w > k.lanes || reach_w / stride + 1 > k.lanes / 2)) continue;
      c.out_h = reach_h / stride + 1;
      c.out_w = reach_w / stride + 1;
      std::vector<int> cuts = {0};
      while (cuts.back() < c.out_h) {
        cuts.push_back(std::min(c.out_h, cuts.back() + random.Int(1, 9)));
      }
      SCOPED_TRACE(testing::Message() << "kernel " << kernel << " stride " << stride << " image "
                                      << in_h << " x " << in_w << " pads " << pad_top << ' ' << pad_bottom << ' ' << pad_left
                                      << ' ' << pad_right << " parts " << testing::PrintToString(cuts));
      RunDirect<T>(depthwise, c, cuts, random.Chance(0.5), kEdges[random.Int(0, 1)], &random);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

// Some taps of a window that may be dilated; a channel may have none.
template <typename T>
void TestDepthwiseTaps(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(14);
  constexpr int before = kMaxLanes, behind = 2 * kMaxLanes;
  for (int in_w = 1; in_w <= 3 * k.lanes + 1; in_w += in_w < 20 ? 1 : 3) {
    for (int in_h : {1, 2, 5, 8, 9, 19}) {
      const int kernel = 1 + 2 * random.Int(0, 3), dilation = random.Int(1, 2);
      const int reach = (kernel - 1) * dilation;
      const int pad_top = random.Int(0, reach), pad_left = random.Int(0, std::min(reach, kMaxLanes));
      const int out_h = in_h + pad_top + random.Int(0, reach) - reach;
      const int out_w = in_w + pad_left + random.Int(0, reach) - reach;
      if (out_h < 1 || out_w < 1) continue;
      const int channels = random.Int(1, 3);
      std::vector<uint32_t> begin = {0};
      std::vector<TapShift> taps;
      TapShift least{0, 0}, most{0, 0};
      for (int c = 0; c < channels; ++c) {
        for (int ky = 0; ky < kernel; ++ky) {
          for (int kx = 0; kx < kernel; ++kx) {
            if (!random.Chance(c == 1 ? 0.0 : 0.4)) continue;
            taps.push_back({static_cast<int16_t>(ky * dilation - pad_top), static_cast<int16_t>(kx * dilation - pad_left)});
            least = {std::min(least.row, taps.back().row), std::min(least.column, taps.back().column)};
            most = {std::max(most.row, taps.back().row), std::max(most.column, taps.back().column)};
          }
        }
        begin.push_back(static_cast<uint32_t>(taps.size()));
      }
      const Edge edge = kEdges[random.Int(0, 1)];
      const size_t in_pixels = static_cast<size_t>(in_h) * in_w, out_pixels = static_cast<size_t>(out_h) * out_w;
      const size_t x_stride = in_pixels + before + behind + random.Int(0, 3), y_stride = out_pixels + random.Int(0, 3);
      Guarded<T> x(before + (channels - 1) * x_stride + in_pixels + behind, edge);
      std::fill(x.begin(), x.end(), kNaN);
      const T* const planes = x.data() + before;
      for (int c = 0; c < channels; ++c) {
        const std::vector<float> plane = random.Floats(in_pixels);
        std::copy(plane.begin(), plane.end(), x.begin() + before + c * x_stride);
      }
      Guarded<T> y((channels - 1) * y_stride + out_pixels, edge);
      const Guarded<uint32_t> tap_begin(begin);
      const Guarded<TapShift> shifts(taps);
      const Guarded<T> weights(random.Floats(taps.size())), bias(random.Floats(channels));
      const Limits limits = random.Pick(kLimits);
      DepthwiseTapsArgs a{};
      a.x = planes;
      a.x_stride = x_stride;
      a.in_h = in_h;
      a.in_w = in_w;
      a.y = y.data();
      a.y_stride = y_stride;
      a.out_w = out_w;
      a.first_row = random.Int(0, out_h - 1);
      a.end_row = random.Int(a.first_row + 1, out_h);
      a.channels = channels;
      a.tap_begin = tap_begin.data();
      a.taps = shifts.data();
      a.least = least;
      a.most = most;
      a.weights = weights.data();
      a.bias = bias.data();
      a.lo = limits.lo;
      a.hi = limits.hi;
      k.depthwise_taps(a);
      for (size_t i = 0; i < y.size(); ++i) {
        const int c = static_cast<int>(i / y_stride), pixel = static_cast<int>(i % y_stride);
        const int r = pixel / out_w, column = pixel % out_w;
        if (r < a.first_row || r >= a.end_row) {
          ASSERT_TRUE(y.Untouched(i)) << "channel " << c << " row " << r << " column " << column;
          continue;
        }
        double want = bias[c];
        for (uint32_t t = begin[c]; t < begin[c + 1]; ++t) {
          const int sy = r + taps[t].row, sx = column + taps[t].column;
          if (sy < 0 || sy >= in_h || sx < 0 || sx >= in_w) continue;
          want += double{weights[t]} * planes[c * x_stride + sy * in_w + sx];
        }
        ASSERT_EQ(y[i], Clamped(want, limits)) << "channel " << c << " row " << r << " column " << column;
      }
      ASSERT_TRUE(y.Intact());
    }
  }
}

// ---- Moving

template <typename T>
void TestPadRow(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const int lanes = k.lanes;
  Random random(5);
  for (int width = 1; width <= 4 * lanes + 3; ++width) {
    for (int stride : {1, 2, 3}) {
      for (size_t x_stride : {1, 3}) {
        for (int pad : {0, 1, 2, 3, 5, lanes, 2 * lanes + 1}) {
          // From cropped to far behind the source.
          const int whole = (pad + width + stride - 1) / stride;
          const int length = std::max(1, whole + random.Int(-lanes - 2, lanes + 2));
          const bool empty = random.Chance(0.1);
          const Edge edge = kEdges[random.Int(0, 1)];
          // A contiguous row may be read in whole vectors, one for each of two phases; a strided one
          // lies in the caller's memory.
          const size_t pixels = (width - 1) * x_stride + 1;
          const size_t room = x_stride > 1 ? 0 : stride == 2 ? 2 * lanes - 1 : lanes - 1;
          Guarded<T> x(pixels + room, edge);
          std::fill(x.begin(), x.end(), kNaN);
          for (int i = 0; i < width; ++i) x[i * x_stride] = random.NonZero();
          const size_t phase_stride = length + lanes + 3;
          Guarded<T> y((stride - 1) * phase_stride + length + lanes, edge);
          PadRowArgs a{};
          a.x = empty ? nullptr : x.data();
          a.x_stride = x_stride;
          a.width = width;
          a.y = y.data();
          a.phase_stride = phase_stride;
          a.stride = stride;
          a.pad = pad;
          a.length = length;
          a.fill = random.Pick<float>({0, -kInfinity, 7});
          k.pad_row(a);
          for (size_t i = 0; i < y.size(); ++i) {
            const int phase = static_cast<int>(i / phase_stride);
            const int position = static_cast<int>(i % phase_stride);
            if (position >= length + lanes) {
              ASSERT_TRUE(y.Untouched(i));
            }
            if (position >= length) continue;
            const int source = position * stride + phase - pad;
            const bool inside = !empty && source >= 0 && source < width;
            ASSERT_EQ(y[i], inside ? float{x[source * x_stride]} : a.fill)
                << "width " << width << " stride " << stride << " x_stride " << x_stride << " pad "
                << pad << " length " << length << " phase " << phase << " position " << position;
          }
          ASSERT_TRUE(y.Intact());
        }
      }
    }
  }
}

template <typename T>
void TestShiftRows(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const int lanes = k.lanes;
  Random random(15);
  for (int width = 1; width <= 4 * lanes + 3; ++width) {
    for (int stride : {1, 2, 3}) {
      for (size_t x_stride : {1, 3}) {
        for (int shift : {0, 1, 2, 5, lanes, 5 * lanes, -1, -2, -3, -lanes - 1, -5 * lanes}) {
          const int rows = random.Int(1, 4);
          const int length = std::max(1, width / stride + random.Int(-lanes - 2, lanes + 2));
          const size_t row_stride = width * x_stride + random.Int(0, 3);
          // A vector on either side of a row may be read where its pixels are contiguous; otherwise
          // they lie in the caller's memory.
          const size_t room = x_stride == 1 ? lanes : 0;
          const size_t last = (rows - 1) * row_stride + (width - 1) * x_stride + 1;
          Guarded<T> memory(room + last + room, kEdges[random.Int(0, 1)]);
          std::fill(memory.begin(), memory.end(), kNaN);
          T* const x = memory.begin() + room;
          for (int r = 0; r < rows; ++r) {
            for (int i = 0; i < width; ++i) x[r * row_stride + i * x_stride] = random.NonZero();
          }
          const size_t count = static_cast<size_t>(rows) * length;
          Guarded<T> y(count + lanes, kEdges[random.Int(0, 1)]);
          k.shift_rows({x, row_stride, x_stride, width, rows, y.data(), length, stride, shift});
          for (size_t i = 0; i < count; ++i) {
            const size_t r = i / length;
            const int source = static_cast<int>(i % length) * stride + shift;
            const bool inside = source >= 0 && source < width;
            ASSERT_EQ(y[i], inside ? float{x[r * row_stride + source * x_stride]} : 0.0f)
                << "width " << width << " stride " << stride << " x_stride " << x_stride << " shift "
                << shift << " length " << length << " element " << i;
          }
          ASSERT_TRUE(y.Intact());
        }
      }
    }
  }
}

template <typename T>
void TestPool(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(9);
  for (int width = 1; width <= 3 * k.lanes + 1; ++width) {
    for (int taps : {1, 4, 9}) {
      for (bool average : {false, true}) {
        const int rows = random.Int(1, 4), stride = random.Int(1, 3);
        const size_t row_stride = width + 4;
        std::vector<int32_t> offsets;
        for (int t = 0; t < taps; ++t) {
          offsets.push_back(static_cast<int32_t>(random.Int(0, 2) * row_stride) + random.Int(0, 4));
        }
        const size_t last_pixel = *std::max_element(offsets.begin(), offsets.end()) +
                                  (rows - 1) * stride * row_stride + width - 1;
        const Edge edge = kEdges[random.Int(0, 1)];
        Guarded<T> x(last_pixel + k.lanes, edge);  // a vector that begins at the last pixel
        const std::vector<float> pixels = random.Floats(last_pixel + 1);
        std::fill(x.begin(), x.end(), kNaN);
        std::copy(pixels.begin(), pixels.end(), x.begin());
        // Powers of two, so that products are exact.
        Guarded<T> row_scale(rows, edge), column_scale(width, edge);
        for (T& scale : row_scale) scale = random.Pick<float>({0.25f, 0.5f, 1});
        for (T& scale : column_scale) scale = random.Pick<float>({0.25f, 0.5f, 1});
        const Guarded<int32_t> tap_offset(offsets);
        const Limits limits = random.Pick(kLimits);
        Guarded<T> y(static_cast<size_t>(rows) * width, edge);
        k.pool({x.data(), row_stride, y.data(), static_cast<size_t>(width), rows, width, stride, taps,
                tap_offset.data(), average ? row_scale.data() : nullptr,
                average ? column_scale.data() : nullptr, limits.lo, limits.hi});
        for (int r = 0; r < rows; ++r) {
          for (int i = 0; i < width; ++i) {
            double sum = 0, most = -kInfinity;
            for (int32_t offset : offsets) {
              const float v = x[r * stride * row_stride + offset + i];
              sum += v;
              most = std::max<double>(most, v);
            }
            const double want = average ? sum * row_scale[r] * column_scale[i] : most;
            ASSERT_EQ(y[r * width + i], Clamped(want, limits)) << "row " << r << " pixel " << i;
          }
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

double Apply(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd: return a + b;
    case BinaryKind::kSub: return a - b;
    case BinaryKind::kMul: return a * b;
    case BinaryKind::kDiv: return a / b;
    case BinaryKind::kMax: return std::max(a, b);
    case BinaryKind::kMin: return std::min(a, b);
    case BinaryKind::kPrelu: return a < 0 ? a * b : a;
  }
  return 0;
}

template <typename T>
void TestBinary(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(10);
  for (BinaryKind kind : {BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul, BinaryKind::kDiv,
                          BinaryKind::kMax, BinaryKind::kMin, BinaryKind::kPrelu}) {
    for (int count = 0; count <= 3 * k.lanes + 1; ++count) {
      for (int way = 0; way < 8; ++way) {
        const bool scalar = way & 1, swapped = way & 2, in_place = way & 4;
        const Edge edge = kEdges[random.Int(0, 1)];
        Guarded<T> a(count, edge), b(scalar ? 1 : count, edge), y(count, edge);
        // Powers of two, so that quotients are exact.
        for (T& v : a) v = random.Pick<float>({-4, -1, 0.5f, 2, 8});
        for (T& v : b) v = random.Pick<float>({-4, -1, 0.5f, 2, 8});
        const std::vector<float> left(a.begin(), a.end());
        const Limits limits = random.Pick(kLimits);
        T* const out = in_place ? a.data() : y.data();
        k.binary(kind, {a.data(), b.data(), scalar, swapped, out, static_cast<size_t>(count), limits.lo,
                        limits.hi});
        for (int i = 0; i < count; ++i) {
          const float other = b[scalar ? 0 : i];
          const double want = swapped ? Apply(kind, other, left[i]) : Apply(kind, left[i], other);
          ASSERT_EQ(out[i], Clamped(want, limits))
              << "kind " << static_cast<int>(kind) << " of " << left[i] << " and " << other;
        }
        ASSERT_TRUE(a.Intact() && y.Intact());
      }
    }
  }
}

double Apply(UnaryKind kind, double x, double alpha) {
  switch (kind) {
    case UnaryKind::kLogistic: return 1 / (1 + std::exp(-x));
    case UnaryKind::kTanh: return std::tanh(x);
    case UnaryKind::kHardSwish: return x * std::min(6.0, std::max(0.0, x + 3)) / 6;
    case UnaryKind::kLeakyRelu: return x < 0 ? alpha * x : x;
    case UnaryKind::kElu: return x < 0 ? std::expm1(x) : x;
    case UnaryKind::kSwish: return x / (1 + std::exp(-x));
    case UnaryKind::kGelu: return x * std::erfc(-x / std::sqrt(2.0)) / 2;
    case UnaryKind::kGeluTanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
  }
  return 0;
}

// What a result may be off by: of floats what the functions promise, of halves their rounding.
template <typename T>
double Tolerance(double value) {
  const bool half = sizeof(T) == sizeof(Half);
  return half ? 0x1p-24 + 0x1.01p-11 * std::fabs(value) : 4e-7 + 1e-6 * std::fabs(value);
}

template <typename T>
void TestUnary(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const UnaryKind kinds[] = {UnaryKind::kLogistic, UnaryKind::kTanh, UnaryKind::kHardSwish,
                             UnaryKind::kLeakyRelu, UnaryKind::kElu, UnaryKind::kGelu,
                             UnaryKind::kGeluTanh, UnaryKind::kSwish};
  // Dense where the functions bend, then far out.
  const float far = sizeof(T) == sizeof(Half) ? 3e4f : 3e38f;
  std::vector<float> xs = {0.0f, -0.0f, 1e-30f, -1e-30f, 1e-4f, -1e-4f, 88, -88, 104, -104, far, -far};
  for (int i = -4000; i <= 4000; ++i) xs.push_back(static_cast<float>(i) * 0.0043f);
  for (UnaryKind kind : kinds) {
    const Guarded<T> x(xs);
    Guarded<T> y(xs.size());
    k.unary(kind, {x.data(), y.data(), xs.size(), 1, 0, 0.25f});
    for (size_t i = 0; i < xs.size(); ++i) {
      const double want = Apply(kind, x[i], 0.25);
      ASSERT_NEAR(y[i], want, Tolerance<T>(want))
          << "kind " << static_cast<int>(kind) << " of " << xs[i];
    }
    for (size_t count = 0; count <= 3 * k.lanes + 1u; ++count) {
      for (Edge edge : kEdges) {
        const size_t rows = 1 + count % 3, stride = count + count % 2 * 5;
        const size_t floats = (rows - 1) * stride + count;
        Guarded<T> from(std::vector<float>(xs.begin() + 3000, xs.begin() + 3000 + floats), edge);
        Guarded<T> to(floats, edge);
        k.unary(kind, {from.data(), to.data(), count, rows, stride, 0.25f});
        k.unary(kind, {from.data(), from.data(), count, rows, stride, 0.25f});  // in place
        for (size_t i = 0; i < floats; ++i) {
          if (i % stride >= count) {
            ASSERT_TRUE(to.Untouched(i)) << "between rows";
            ASSERT_EQ(from[i], x[3000 + i]);
            continue;
          }
          ASSERT_EQ(to[i], y[3000 + i]) << "whole vectors and the last lanes differ";
          ASSERT_EQ(from[i], to[i]);
        }
        ASSERT_TRUE(from.Intact() && to.Intact());
      }
    }
    std::vector<T> nan(k.lanes, T(kNaN));
    k.unary(kind, {nan.data(), nan.data(), nan.size(), 1, 0, 0.25f});
    for (T v : nan) ASSERT_TRUE(std::isnan(float{v})) << "kind " << static_cast<int>(kind) << " loses NaN";
  }
}

template <typename T>
void TestClamp(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(6);
  for (int count = 0; count <= 4 * k.lanes + 3; ++count) {
    for (Edge edge : kEdges) {
      for (const Limits& limits : kLimits) {
        Guarded<T> x(random.Floats(count), edge), y(count, edge);
        const std::vector<float> before(x.begin(), x.end());
        k.clamp({x.data(), y.data(), static_cast<size_t>(count), limits.lo, limits.hi});
        k.clamp({x.data(), x.data(), static_cast<size_t>(count), limits.lo, limits.hi});
        for (int i = 0; i < count; ++i) {
          ASSERT_EQ(y[i], Clamped(before[i], limits));
          ASSERT_EQ(x[i], y[i]) << "in place";
        }
        ASSERT_TRUE(x.Intact() && y.Intact());
      }
    }
  }
}

template <typename T>
void TestSum(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(7);
  for (int count = 0; count <= 6 * k.lanes + 3; ++count) {
    for (Edge edge : kEdges) {
      const Guarded<T> x(random.Floats(count), edge);
      double want = 0;
      for (int i = 0; i < count; ++i) want += x[i];
      ASSERT_EQ(k.sum(x.data(), count), want) << count;
    }
  }
}

template <typename T>
void TestTranspose(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(8);
  for (size_t rows : {1, 2, 7, 16, 17, 33, 50}) {
    for (size_t columns : {1, 3, 15, 16, 31, 40}) {
      for (Edge edge : kEdges) {
        const size_t x_stride = columns + random.Int(0, 5), y_stride = rows + random.Int(0, 5);
        const Guarded<T> x(random.Floats((rows - 1) * x_stride + columns), edge);
        Guarded<T> y((columns - 1) * y_stride + rows, edge);
        k.transpose({x.data(), x_stride, y.data(), y_stride, rows, columns});
        for (size_t i = 0; i < y.size(); ++i) {
          const size_t c = i / y_stride, r = i % y_stride;
          if (r >= rows) {
            ASSERT_TRUE(y.Untouched(i));
          } else {
            ASSERT_EQ(y[i], x[r * x_stride + c]);
          }
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

// The halves of the kernels are those of the plain conversion.
void TestNarrow(const KernelRow& row) {
  Random random(31);
  std::vector<float> values = {0, -0.0f, 1e-9f, -3e-8f, 1e-5f, 65504, 65519, 65520, -1e30f, kInfinity, -kInfinity};
  while (values.size() < 5000) {
    values.push_back(std::ldexp(static_cast<float>(random.Int(-8388608, 8388608)), random.Int(-50, -5)));
  }
  for (size_t count = 0; count <= 3u * row.kernels->lanes + 1; ++count) {
    for (size_t first = 0; first + count <= values.size(); first += 50 + count) {
      for (Edge edge : kEdges) {
        const Guarded<float> x(std::vector<float>(values.begin() + first, values.begin() + first + count), edge);
        Guarded<Half> y(count, edge);
        row.kernels->narrow(x.data(), y.data(), count);
        for (size_t i = 0; i < count; ++i) ASSERT_EQ(y[i].bits, FloatToHalf(x[i])) << x[i];
        ASSERT_TRUE(y.Intact());
      }
    }
  }
  std::vector<float> nan(9, kNaN);
  Guarded<Half> y(nan.size());
  row.kernels->narrow(nan.data(), y.data(), nan.size());
  for (Half v : y) ASSERT_TRUE(std::isnan(float{v}));
}

void TestWiden(const KernelRow& row) {
  std::vector<Half> all;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    Half half;
    half.bits = static_cast<uint16_t>(bits);
    if (!std::isnan(float{half})) all.push_back(half);
  }
  for (size_t count = 0; count <= 3u * row.kernels->lanes + 1; ++count) {
    for (size_t first = 0; first + count <= all.size(); first += 50 + count) {
      for (Edge edge : kEdges) {
        const Guarded<Half> x(std::vector<Half>(all.begin() + first, all.begin() + first + count), edge);
        Guarded<float> y(count, edge);
        row.kernels->widen(x.data(), y.data(), count);
        for (size_t i = 0; i < count; ++i) ASSERT_EQ(y[i], float{x[i]});
        ASSERT_TRUE(y.Intact());
      }
    }
  }
  const std::vector<Half> nan(9, Half(kNaN));
  Guarded<float> y(nan.size());
  row.kernels->widen(nan.data(), y.data(), nan.size());
  for (float v : y) ASSERT_TRUE(std::isnan(v));
}

void TestFmaLoop(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  // Each of the 12 x lanes numbers tends to 2 under v -> v / 2 + 1.
  float sink[2] = {0.5f, 1.0f};
  EXPECT_EQ(k.fma_loop(1000, sink), 2.0 * 12 * k.lanes * 1000);
  EXPECT_EQ(sink[0], 2.0f * 12 * k.lanes);
  // One step takes chain i from i to i + 1.
  float one[2] = {1.0f, 1.0f};
  EXPECT_EQ(k.fma_loop(1, one), 2.0 * 12 * k.lanes);
  EXPECT_EQ(one[0], (12 * 13 / 2) * k.lanes);
}

// ---- The table

class EveryKernel : public testing::TestWithParam<KernelRow> {};

TEST_P(EveryKernel, AsTheReference) {
  const KernelRow& row = GetParam();
  const auto begins = [&](const char* prefix) { return row.name.rfind(prefix, 0) == 0; };
  const bool half = row.kernels->element_bytes == sizeof(Half);
  if (begins("spmm_mixed_")) return half ? TestSpmmMixed<Half>(row) : TestSpmmMixed<float>(row);
  if (begins("spmm_g")) return half ? TestSpmm<Half>(row) : TestSpmm<float>(row);
  if (begins("spmv_g")) return half ? TestSpmv<Half>(row) : TestSpmv<float>(row);
  if (row.name == "scale_columns") return half ? TestScaleColumns<Half>(row) : TestScaleColumns<float>(row);
  if (row.name == "depthwise") return half ? TestDepthwise<Half>(row) : TestDepthwise<float>(row);
  if (row.name == "depthwise_taps") return half ? TestDepthwiseTaps<Half>(row) : TestDepthwiseTaps<float>(row);
  if (begins("depthwise_direct_") || begins("depthwise_pairs_")) return half ? TestDepthwiseDirect<Half>(row) : TestDepthwiseDirect<float>(row);
  if (row.name == "pad_row") return half ? TestPadRow<Half>(row) : TestPadRow<float>(row);
  if (row.name == "shift_rows") return half ? TestShiftRows<Half>(row) : TestShiftRows<float>(row);
  if (row.name == "pool") return half ? TestPool<Half>(row) : TestPool<float>(row);
  if (row.name == "binary") return half ? TestBinary<Half>(row) : TestBinary<float>(row);
  if (row.name == "unary") return half ? TestUnary<Half>(row) : TestUnary<float>(row);
  if (row.name == "clamp") return half ? TestClamp<Half>(row) : TestClamp<float>(row);
  if (row.name == "sum") return half ? TestSum<Half>(row) : TestSum<float>(row);
  if (row.name == "transpose") return half ? TestTranspose<Half>(row) : TestTranspose<float>(row);
  if (row.name == "fma_loop") return TestFmaLoop(row);
  if (row.name == "narrow") return TestNarrow(row);
  if (row.name == "widen") return TestWiden(row);
  FAIL() << "no test for this kernel";
}

INSTANTIATE_TEST_SUITE_P(Table, EveryKernel, testing::ValuesIn(KernelRows()), [](const auto& info) {
  return info.param.kernels->isa + ("_" + info.param.name);
});

constexpr int kOthers = 22;  // kernels that are neither spmm nor spmv

// A new function in the struct needs a row, and a test.
static_assert(sizeof(Kernels) - offsetof(Kernels, spmm) ==
                  sizeof(SpmmTiles) * (kGroupKinds + 1) * (1 + kTailKinds) +
                      sizeof(void (*)()) * (kGroupKinds + kOthers),
              "add the new kernel to KernelRows(), and its test to EveryKernel");

std::vector<const Kernels*> AllKernels() {
  std::vector<const Kernels*> all;
  for (const Kernels* k : AvailableKernels()) {
    all.push_back(k);
    if (HalfKernels(*k) != nullptr) all.push_back(HalfKernels(*k));
  }
  return all;
}

TEST(KernelTable, ARowForEveryKernel) {
  for (const Kernels* k : AllKernels()) {
    std::set<std::string> names;
    for (const KernelRow& row : KernelRows()) {
      if (row.kernels != k) continue;
      EXPECT_TRUE(names.insert(row.name).second) << row.name << " twice";
    }
    size_t kernels = kGroupKinds + kOthers;
    if (k->lanes < 16) {
      EXPECT_EQ(k->depthwise_pairs[0][0], nullptr);
      kernels -= 4;
    }
    EXPECT_EQ(k->element_bytes == sizeof(Half), std::string(k->isa) == "neon_fp16");
    if (k->element_bytes == sizeof(float)) {
      EXPECT_TRUE(k->narrow == nullptr && k->widen == nullptr);
      kernels -= 2;
    }
    for (int g = 0; g <= kMixedKind; ++g) {
      EXPECT_GE(k->spmm[g][0].widest, 1);
      EXPECT_EQ(k->spmm[g][0].tail, 0);
      for (int t = 0; t <= kTailKinds; ++t) {
        const SpmmTiles& tiles = k->spmm[g][t];
        if (t > 0) {
          EXPECT_EQ(tiles.tail, kTails[t - 1]);
        }
        EXPECT_LE(tiles.widest, k->spmm[g][0].widest);
        for (int p = 0; p < kMaxTileVectors; ++p) {
          EXPECT_EQ(tiles.kernel[p] != nullptr, p < tiles.widest) << k->isa << ' ' << g << ' ' << p;
        }
        kernels += tiles.widest;
      }
      if (g < kMixedKind) {
        EXPECT_EQ(GroupIndex(kGroupSizes[g]), g);
      }
    }
    EXPECT_EQ(names.size(), kernels);
    EXPECT_LE(k->lanes, kMaxLanes);
  }
}

std::set<std::string> IsasOfThisCpu() {
  std::set<std::string> isas = {"scalar"};
  // Under an emulator only its user knows.
  if (const char* const told = std::getenv("SBNN_TEST_ISAS")) {
    std::istringstream words(told);
    return {std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()};
  }
  // As the kernel tells it, not by the way the table asks.
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::set<std::string> flags;
  for (std::string line; std::getline(cpuinfo, line) && flags.empty();) {
    if (line.rfind("flags", 0) != 0 && line.rfind("Features", 0) != 0) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) flags.insert(word);
  }
  EXPECT_FALSE(flags.empty()) << "/proc/cpuinfo tells no flags";
  const auto has = [&](const char* flag) { return flags.count(flag) != 0; };
#if defined(__aarch64__)
  isas.insert("neon");
  if (has("fphp") && has("asimdhp")) isas.insert("neon_fp16");
#elif defined(__arm__)
  if (has("neon") && has("vfpv4")) isas.insert("neon");
#elif defined(__x86_64__)
  if (has("avx2") && has("fma")) isas.insert("avx2");
  if (has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl")) isas.insert("avx512");
#endif
  return isas;
}

TEST(KernelTable, HasWhatThisCpuHas) {
  std::set<std::string> found;
  for (const Kernels* k : AllKernels()) found.insert(k->isa);
  EXPECT_EQ(found, IsasOfThisCpu());
  std::cout << "instruction sets tested:";
  for (const std::string& isa : found) std::cout << ' ' << isa;
  std::cout << std::endl;
}

TEST(KernelTable, BestFirst) {
  const std::vector<std::string> order = {"avx512", "avx2", "neon", "scalar"};
  size_t at = 0;
  for (const Kernels* k : AvailableKernels()) {
    const auto found = std::find(order.begin() + at, order.end(), k->isa);
    ASSERT_NE(found, order.end()) << k->isa << " is unknown or out of order";
    at = found - order.begin() + 1;
    EXPECT_EQ(FindKernels(k->isa), k);
  }
  EXPECT_EQ(FindKernels(""), AvailableKernels().front());
  EXPECT_EQ(AvailableKernels().back()->isa, std::string("scalar"));
  EXPECT_EQ(FindKernels("AVX2"), nullptr);
  EXPECT_EQ(FindKernels("sse"), nullptr);
}

}  // namespace
}  // namespace sbnn
