#include "delegate/translation/parameters.h"

namespace sbnn {

// (The schema's SAME and VALID are one less than the C API's. Others stay unknown.)
PaddingKind ReadPaddingKind(const FlatTable& options, int field) {
  switch (options.Get<int8_t>(field)) {
    case 0:
      return PaddingKind::kSame;
    case 1:
      return PaddingKind::kValid;
    default:
      return PaddingKind::kUnknown;
  }
}

// (The schema numbers them as the C API does.)
FusedActivation ReadActivation(const FlatTable& options, int field) {
  return static_cast<FusedActivation>(options.Get<int8_t>(field));
}

bool ReadFlag(const FlatTable& options, int field) { return options.Get<uint8_t>(field) != 0; }

int ReadInts(const FlatTable& options, int field, int32_t (&values)[8]) {
  const FlatVector<int32_t> row = options.Vector<int32_t>(field);
  if (row.size() > 8) return -1;
  for (uint32_t i = 0; i < row.size(); ++i) values[i] = row[i];
  return static_cast<int>(row.size());
}

}  // namespace sbnn
