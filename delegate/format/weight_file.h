// Packed weights in a file that is mapped into memory.
#ifndef SBNN_DELEGATE_FORMAT_WEIGHT_FILE_H_
#define SBNN_DELEGATE_FORMAT_WEIGHT_FILE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delegate/format/filed_weights.h"
#include "delegate/format/hash.h"
#include "delegate/format/status.h"

namespace sbnn {

// The file, of this machine's byte order: a header, a table with an entry for each matrix, and
// behind them each matrix as it lies in memory. The header holds a hash of header and table, each
// entry one of its matrix. What shapes and matrices say is for others to check. The one thing that
// cannot be checked is that nobody writes to the file later: WriteWeightFile never does.
class WeightFile {
 public:
  // Fails if there is no such file, or it is not one of this version, or damaged.
  static Status Open(const std::string& path, std::shared_ptr<const WeightFile>* file);
  ~WeightFile();
  WeightFile(const WeightFile&) = delete;
  WeightFile& operator=(const WeightFile&) = delete;

  bool Has(const Hash& key) const { return Entry(key) != nullptr; }

  // The weights stored under `key`, as a view of the mapped file, which lives as long as they do.
  // False: there are none, or they are damaged.
  static bool Find(const std::shared_ptr<const WeightFile>& file, const Hash& key,
                   FiledWeights* weights);

 private:
  struct Header;
  struct TableEntry;

  WeightFile(const char* data, size_t bytes) : data_(data), bytes_(bytes) {}
  Status Check() const;
  const TableEntry* Entry(const Hash& key) const;

  const char* const data_;
  const size_t bytes_;

  friend Status WriteWeightFile(const std::string& path,
                                const std::vector<std::pair<Hash, FiledWeights>>& weights);
};

// Puts a new file in the place of whatever is at `path`, in one step: whoever opens it sees all of
// the old one or all of the new one, and mappings of the old one stay as they are. Any number of
// processes may do so at once; the last one wins.
Status WriteWeightFile(const std::string& path,
                       const std::vector<std::pair<Hash, FiledWeights>>& weights);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_WEIGHT_FILE_H_
