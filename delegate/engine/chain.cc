#include "delegate/engine/chain.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>

namespace sbnn {
namespace {

// A band has about so many rows of the output, at least.
constexpr int kLeastRows = 4;

// Strips a thread should get, so that unequal cores finish together. Each computes some rows twice.
constexpr int kStripsPerThread = 2;

int Height(const Shape& shape) { return AsImages(shape).h; }

// Bands of the output are whole vectors, or the last one's might end behind the plane, and a
// strip's in the next strip: rows come in steps of this.
int RowStep(const Shape& output) { return kMaxLanes / std::gcd(kMaxLanes, AsImages(output).w); }

// A row or two more than are needed, where then the next rows begin at a cache line: loads and
// stores across two lines take twice the time.
int AlignedEnd(const Shape& output, int end) {
  const int step = RowStep(output);
  if (step > 4) return end;
  return std::min(Height(output), static_cast<int>(RoundUp(end, step)));
}

int LeastRows(const Shape& output) {
  const int rows = static_cast<int>(RoundUp(kLeastRows, RowStep(output)));
  return std::min(rows, Height(output));
}

// Between the planes of a buffer of so many rows, with room for a vector behind the last.
uint64_t BufferStride(const Chain::Link& link, int rows) {
  const uint64_t pixels = uint64_t{static_cast<unsigned>(rows)} * AsImages(link.output).w;
  return PlaneStride(pixels + kMaxLanes, link.type);
}

}  // namespace

// From what the last link does in a band to what the first one must do for it.
std::vector<Chain::Band> Chain::Schedule(const std::vector<Link>& links, Rows strip,
                                         int band_rows) {
  std::vector<Band> bands;
  Band before(links.size(), {{strip.first, strip.first}, 0});
  for (int row = strip.first; row < strip.end; row += band_rows) {
    Band band(links.size());
    Rows wanted = {row, std::min(row + band_rows, strip.end)};
    for (size_t i = links.size(); i-- > 0;) {
      const LinkRows& last = before[i];
      const int done = bands.empty() ? 0 : last.rows.end;
      LinkRows& link_rows = band[i];
      if (wanted.count() <= 0) {  // windows that meet nothing but padding
        link_rows = {{done, done}, last.base};
      } else {
        link_rows.rows.first = std::max(wanted.first, done);
        link_rows.rows.end =
            std::max(AlignedEnd(links[i].output, wanted.end), link_rows.rows.first);
        link_rows.base = i + 1 < links.size() ? wanted.first : 0;
      }
      wanted = {0, 0};
      if (link_rows.rows.count() > 0)
        wanted = links[i].op->RowsRead(links[i].input, link_rows.rows);
    }
    bands.push_back(band);
    before = std::move(band);
  }
  return bands;
}

// Of each link: the most rows that it computes at a time, or that its buffer holds.
std::vector<int> Chain::MostRows(const std::vector<Link>& links, const std::vector<Band>& bands,
                                 bool held) {
  std::vector<int> most(links.size(), 0);
  for (const Band& band : bands) {
    for (size_t i = 0; i < links.size(); ++i) {
      const Rows& rows = band[i].rows;
      most[i] = std::max(most[i], held ? rows.end - band[i].base : rows.count());
    }
  }
  return most;
}

// Of its buffer, with so many rows.
uint64_t Chain::BytesBehind(const Link& link, int rows) {
  const uint64_t channels = RoundUp(AsImages(link.output).c, kChannelStep);
  const uint64_t bytes = BufferStride(link, rows) * channels * BytesOf(link.type);
  return RoundUp(bytes + 3 * kVectorBytes, kVectorBytes);
}

bool Chain::Fits(const std::vector<Link>& links, uint64_t cache_bytes) {
  return BufferBytes(links, LeastRows(links.back().output)) <= cache_bytes;
}

// All buffers, for bands of so many rows. (A few bands tell: an image may be very high.)
uint64_t Chain::BufferBytes(const std::vector<Link>& links, int band_rows) {
  const Rows some = {0, std::min(Height(links.back().output), 4 * band_rows)};
  const std::vector<int> held = MostRows(links, Schedule(links, some, band_rows), true);
  uint64_t bytes = 0;
  for (size_t i = 0; i + 1 < links.size(); ++i) bytes += BytesBehind(links[i], held[i]);
  return bytes;
}

// As many rows of the last output as fit the cache, in bands that are about equal.
int Chain::BandRows() const {
  const Shape& output = links_.back().output;
  const int height = Height(output), step = RowStep(output);
  for (int bands = 1;; ++bands) {
    const int rows =
        std::min(height, static_cast<int>(RoundUp((height + bands - 1) / bands, step)));
    if (rows <= LeastRows(output) || BufferBytes(links_, rows) <= cache_bytes_) return rows;
  }
}

Status Chain::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  Shape shape = inputs[0];
  for (const Link& link : links_) {
    const Status status = link.op->InferShape({shape}, output);
    if (!status.ok()) return status;
    shape = *output;
  }
  return Status();
}

Status Chain::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                   const PlanContext& context, uint64_t* scratch) {
  const size_t count = links_.size();
  const Images out = output.images();
  const int band_rows = BandRows();
  int strip_rows = out.h;
  if (context.threads > 1) {
    const int wanted = (context.threads * kStripsPerThread + out.n - 1) / out.n;
    strip_rows = std::max(kLeastRows, (out.h + wanted - 1) / wanted);
    strip_rows = static_cast<int>(RoundUp(strip_rows, RowStep(output.shape)));
  }
  strips_.clear();
  std::vector<int> held(count, 0), computed(count, 0);
  for (int row = 0; row < out.h; row += strip_rows) {
    strips_.push_back(Schedule(links_, {row, std::min(row + strip_rows, out.h)}, band_rows));
    const std::vector<int> holds = MostRows(links_, strips_.back(), true);
    const std::vector<int> computes = MostRows(links_, strips_.back(), false);
    for (size_t i = 0; i < count; ++i) {
      held[i] = std::max(held[i], holds[i]);
      computed[i] = std::max(computed[i], computes[i]);
    }
  }

  buffers_.clear();
  buffer_begin_.clear();
  worker_bytes_ = 0;
  for (size_t i = 0; i + 1 < count; ++i) {
    const Link& link = links_[i];
    buffer_begin_.push_back(worker_bytes_ + kVectorBytes);
    worker_bytes_ += BytesBehind(link, held[i]);
    Tensor buffer(link.output, Layout::kPanel, link.type);
    buffer.plane_stride = BufferStride(link, held[i]);
    buffer.image_stride = 0;  // it holds one
    buffers_.push_back(std::move(buffer));
  }
  const Buffers buffers(buffers_, inputs);
  uint64_t most = 0;
  for (size_t i = 0; i < count; ++i) {
    uint64_t bytes = 0;
    const Status status =
        links_[i].op->PlanRows(buffers.inputs[i], i + 1 < count ? buffers.behind[i] : output,
                               {context.kernels, 1, links_[i].epilogue}, computed[i], &bytes);
    if (!status.ok()) return status;
    most = std::max(most, bytes);
  }
  buffer_begin_.push_back(worker_bytes_);  // of what links work with
  worker_bytes_ = RoundUp(worker_bytes_ + most, kVectorBytes);
  *scratch = worker_bytes_ * context.threads;
  return Status();
}

Chain::Buffers::Buffers(const std::vector<Tensor>& planned,
                        const std::vector<const Tensor*>& chain_inputs)
    : behind(planned), inputs{{chain_inputs[0]}} {
  for (const Tensor& buffer : behind) inputs.push_back({&buffer});
  inputs.back().insert(inputs.back().end(), chain_inputs.begin() + 1, chain_inputs.end());
}

void Chain::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                const RunContext& context) const {
  const int strips = static_cast<int>(strips_.size());
  const size_t count = links_.size();
  std::vector<double> seconds(count * context.team.size(), 0.0);  // by worker and link
  context.team.Run(output.images().n * strips, [&](int task, int worker) {
    RunStrip(strips_[task % strips], task / strips, inputs, output, context,
             context.ScratchOf(worker, worker_bytes_), &seconds[worker * count]);
  });
  if (context.link_seconds == nullptr) return;
  context.link_seconds->assign(count, 0.0);
  for (size_t i = 0; i < seconds.size(); ++i) (*context.link_seconds)[i % count] += seconds[i];
}

// Adds to `seconds` what each link took, if the context asks for it.
void Chain::RunStrip(const std::vector<Band>& strip, int n,
                     const std::vector<const Tensor*>& inputs, const Tensor& output,
                     const RunContext& context, void* scratch, double* seconds) const {
  char* const memory = static_cast<char*>(scratch);
  const size_t last = links_.size() - 1;
  Buffers buffers(buffers_, inputs);
  const RunContext rows_context{context.kernels, context.team, memory + buffer_begin_[last],
                                context.ahead};
  const auto now = std::chrono::steady_clock::now;
  const bool timed = context.link_seconds != nullptr;
  for (size_t b = 0; b < strip.size(); ++b) {
    for (size_t i = 0; i <= last; ++i) {
      const auto start = timed ? now() : std::chrono::steady_clock::time_point();
      const LinkRows& link_rows = strip[b][i];
      if (i < last) {
        const LinkRows before = b > 0 ? strip[b - 1][i] : LinkRows{link_rows.rows, link_rows.base};
        Hold(&buffers.behind[i], memory + buffer_begin_[i], before, link_rows);
      }
      if (link_rows.rows.count() > 0) {
        links_[i].op->RunRows(buffers.inputs[i], i < last ? buffers.behind[i] : output, n,
                              link_rows.rows, rows_context);
      }
      if (timed) seconds[i] += std::chrono::duration<double>(now() - start).count();
    }
  }
}

// Moves the rows that are still needed to the beginning of a buffer.
void Chain::Hold(Tensor* buffer, char* begin, const LinkRows& before, const LinkRows& now) {
  const Images image = buffer->images();
  const size_t bytes = BytesOf(buffer->type), row = image.w * bytes;
  if (now.base > before.base && now.base < before.rows.end) {
    const size_t kept = (before.rows.end - now.base) * row;
    char* to = begin;
    for (int c = 0; c < image.c; ++c, to += buffer->plane_stride * bytes) {
      std::memmove(to, to + (now.base - before.base) * row, kept);
    }
  }
  // So that rows are found where they would be in the whole image.
  buffer->data = begin - static_cast<ptrdiff_t>(now.base) * static_cast<ptrdiff_t>(row);
}

std::vector<Range> Chain::Constants() const {
  std::vector<Range> all;
  for (const Link& link : links_) {
    for (const Range& range : link.op->Constants()) all.push_back(range);
  }
  return all;
}

}  // namespace sbnn
