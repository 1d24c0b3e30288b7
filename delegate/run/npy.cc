#include "delegate/run/npy.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>

namespace sbnn {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMagicBytes = 6;

// How the format names the types of elements.
struct TypeName {
  ElementType type;
  const char* name;
};
constexpr TypeName kTypes[] = {
    {ElementType::kFloat32, "<f4"}, {ElementType::kInt8, "|i1"}, {ElementType::kUint8, "|u1"}};

// What stands behind 'key': in a header such as {'descr': '<f4', 'shape': (1, 2), }.
std::string Member(const std::string& header, const std::string& key, char end) {
  const size_t at = header.find("'" + key + "':");
  if (at == std::string::npos) return "";
  const size_t first = header.find_first_not_of(' ', at + key.size() + 3);
  const size_t last = first == std::string::npos ? first : header.find(end, first);
  return last == std::string::npos ? "" : header.substr(first, last - first + 1);
}

bool ReadShape(const std::string& text, std::vector<int>* shape, uint64_t* count) {
  if (text.empty() || text.front() != '(') return false;
  *count = 1;
  const char* at = text.c_str() + 1;
  while (*at != ')') {
    char* end = nullptr;
    const long long size = std::strtoll(at, &end, 10);
    if (end == at || size < 0 || size > std::numeric_limits<int>::max()) return false;
    shape->push_back(static_cast<int>(size));
    if (size > 0 && *count > (uint64_t{1} << 40) / static_cast<uint64_t>(size)) return false;
    *count *= static_cast<uint64_t>(size);
    at = end;
    while (*at == ',' || *at == ' ' || *at == 'L') ++at;
  }
  return true;
}

}  // namespace

Status ReadNpy(const std::string& path, Array* array) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status::Error(path + ": can't be read");
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto wrong = [&](const std::string& what) {
    return Status::Error(path + ": " + what +
                         "; expected an array of little-endian float32, int8 or uint8 in C order, "
                         "as numpy.save(path, array.astype('float32')) writes it");
  };
  if (bytes.size() < 12 || bytes.compare(0, kMagicBytes, kMagic) != 0) return wrong("no .npy file");
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(bytes[i])); };
  const size_t length_bytes = byte(6) == 1 ? 2 : 4;
  size_t length = byte(8) | byte(9) << 8;
  if (length_bytes == 4) length |= byte(10) << 16 | byte(11) << 24;
  const size_t begin = 8 + length_bytes;
  if (length > bytes.size() - begin) return wrong("a header that ends behind the file");
  const std::string header = bytes.substr(begin, length);
  const std::string type = Member(header, "descr", ',');
  Array read;
  const auto known = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeName& t) {
    return type == "'" + std::string(t.name) + "',";
  });
  if (known == std::end(kTypes)) {
    return wrong("values of type " + type.substr(0, type.size() - !type.empty()));
  }
  read.type = known->type;
  if (Member(header, "fortran_order", ',') != "False,") return wrong("Fortran order");
  uint64_t count = 0;
  if (!ReadShape(Member(header, "shape", ')'), &read.shape, &count)) return wrong("no shape");
  if (bytes.size() - begin - length != count * BytesOf(read.type)) {
    return wrong(std::to_string(bytes.size() - begin - length) + " bytes for " +
                 std::to_string(count) + " values");
  }
  read.bytes.assign(bytes.begin() + static_cast<ptrdiff_t>(begin + length), bytes.end());
  *array = std::move(read);
  return Status();
}

Status WriteNpy(const std::string& path, const Array& array) {
  std::string shape;
  for (int d : array.shape) shape += std::to_string(d) + ", ";
  if (array.shape.size() > 1) shape.resize(shape.size() - 2);
  if (array.shape.size() == 1) shape.resize(shape.size() - 1);
  const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const TypeName& t) { return t.type == array.type; });
  if (type == std::end(kTypes)) {
    return Status::Error(path + ": arrays of " + NameOf(array.type) + " are not written");
  }
  std::string header = "{'descr': '" + std::string(type->name) +
                       "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize((header.size() + 1 + 10 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::string bytes(kMagic, kMagicBytes);
  bytes += {1, 0, static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  bytes += header;
  bytes.append(array.bytes.data(), array.bytes.size());
  const std::string fresh = path + ".new";
  std::ofstream file(fresh, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file || std::rename(fresh.c_str(), path.c_str()) != 0) {
    std::remove(fresh.c_str());
    return Status::Error(path + ": can't be written");
  }
  return Status();
}

}  // namespace sbnn
