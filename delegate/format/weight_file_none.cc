// Where there are no files: WebAssembly.
#include "delegate/format/weight_file.h"

namespace sbnn {
namespace {

Status NoFiles(const std::string& path) {
  return Status::Error(path + ": there are no files here");
}

}  // namespace

WeightFile::~WeightFile() = default;

Status WeightFile::Open(const std::string& path, std::shared_ptr<const WeightFile>*) {
  return NoFiles(path);
}

const WeightFile::TableEntry* WeightFile::Entry(const Hash&) const { return nullptr; }

bool WeightFile::Find(const std::shared_ptr<const WeightFile>&, const Hash&, FiledWeights*) {
  return false;
}

Status WriteWeightFile(const std::string& path, const std::vector<std::pair<Hash, FiledWeights>>&) {
  return NoFiles(path);
}

}  // namespace sbnn
