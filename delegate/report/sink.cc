#include "delegate/report/sink.h"

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

namespace sbnn {
namespace {

struct Registry {
  Mutex mutex;
  std::map<int, std::shared_ptr<Sink>> sinks;
  int last = 0;
};

// Never deleted: threads may report while the process ends.
Registry& TheRegistry() {
  static Registry* const registry = new Registry;
  return *registry;
}

}  // namespace

void Sink::Send(const std::string& line) {
  const ThreadId self = ThisThread();
  {
    const Lock lock(mutex_);
    if (closed_) return;
    calls_.push_back(self);
  }
  callback_(line.c_str(), user_);
  const Lock lock(mutex_);
  calls_.erase(std::find(calls_.begin(), calls_.end(), self));
  ended_.notify_all();
}

void Sink::Close() {
  const ThreadId self = ThisThread();
  Lock lock(mutex_);
  closed_ = true;
  ended_.wait(lock, [&] {
    return std::all_of(calls_.begin(), calls_.end(), [&](ThreadId call) { return call == self; });
  });
}

std::shared_ptr<Sink> FindSink(int number) {
  Registry& registry = TheRegistry();
  const Lock lock(registry.mutex);
  const auto found = registry.sinks.find(number);
  return found == registry.sinks.end() ? nullptr : found->second;
}

}  // namespace sbnn

extern "C" {

int sbnn_add_report_sink(sbnn_report_callback callback, void* user) {
  if (callback == nullptr) return 0;
  try {
    sbnn::Registry& registry = sbnn::TheRegistry();
    auto sink = std::make_shared<sbnn::Sink>(callback, user);
    const sbnn::Lock lock(registry.mutex);
    registry.sinks.emplace(registry.last + 1, std::move(sink));
    return ++registry.last;
  } catch (const std::exception&) {
    return 0;
  }
}

int sbnn_remove_report_sink(int number) {
  try {
    sbnn::Registry& registry = sbnn::TheRegistry();
    std::shared_ptr<sbnn::Sink> sink;
    {
      const sbnn::Lock lock(registry.mutex);
      const auto found = registry.sinks.find(number);
      if (found == registry.sinks.end()) return 0;
      sink = std::move(found->second);
      registry.sinks.erase(found);
    }
    sink->Close();
    return 1;
  } catch (const std::exception&) {
    return 0;
  }
}

}  // extern "C"
