#include "delegate/report/json.h"

#include <cmath>
#include <cstddef>
#include <cstdio>

namespace sbnn {
namespace {

constexpr uint32_t kReplacement = 0xFFFD;

// The code point that begins at byte `*at`, which moves behind it. Bytes that are no UTF-8 give
// U+FFFD, those together of which Unicode recommends it (chapter 3.9, "maximal subparts").
uint32_t NextCodePoint(const std::string& text, size_t* at) {
  const auto byte = [&](size_t i) -> uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const uint32_t first = byte((*at)++);
  if (first < 0x80) return first;
  uint32_t lo = 0x80, hi = 0xBF;  // of the second byte: no long forms, no halves of UTF-16
  int more = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    more = 1;
  } else if (first >= 0xE0 && first <= 0xEF) {
    more = 2;
    if (first == 0xE0) lo = 0xA0;
    if (first == 0xED) hi = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    more = 3;
    if (first == 0xF0) lo = 0x90;
    if (first == 0xF4) hi = 0x8F;
  } else {
    return kReplacement;
  }
  uint32_t code = first & (0x3Fu >> more);
  for (; more > 0; --more) {
    const uint32_t next = byte(*at);
    if (next < lo || next > hi) return kReplacement;
    code = code << 6 | (next & 0x3F);
    ++*at;
    lo = 0x80;
    hi = 0xBF;
  }
  return code;
}

void AppendEscape(uint32_t unit, std::string* out) {
  char escape[12];
  std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(unit));
  *out += escape;
}

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const uint32_t code = NextCodePoint(text, &at);
    if (code == '"' || code == '\\') {
      out += '\\';
      out += static_cast<char>(code);
    } else if (code >= 0x20 && code < 0x7F) {
      out += static_cast<char>(code);
    } else if (code < 0x10000) {
      AppendEscape(code, &out);
    } else {  // two halves, as in UTF-16
      AppendEscape(0xD800 + ((code - 0x10000) >> 10), &out);
      AppendEscape(0xDC00 + ((code - 0x10000) & 0x3FF), &out);
    }
  }
  return out + '"';
}

template <typename T, typename Fn>
std::string Array(const std::vector<T>& values, const Fn& write) {
  std::string out = "[";
  for (size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : ",") + write(values[i]);
  return out + "]";
}

std::string IntegerArray(const std::vector<int>& values) {
  return Array(values, [](int value) { return std::to_string(value); });
}

}  // namespace

void JsonObject::Add(const char* key, const std::string& value) {
  if (!members_.empty()) members_ += ',';
  members_ += '"';
  members_ += key;
  members_ += "\":";
  members_ += value;
}

void JsonObject::Text(const char* key, const std::string& value) { Add(key, Quoted(value)); }

void JsonObject::Number(const char* key, double value) {
  if (!std::isfinite(value)) return Add(key, "null");
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%.9g", value);
  std::string number;
  for (const char* c = digits; *c != 0; ++c) {
    const bool known = (*c >= '0' && *c <= '9') || *c == '-' || *c == '+' || *c == 'e';
    // The locale's own sign, which may be of several bytes.
    if (known) {
      number += *c;
    } else if (number.empty() || number.back() != '.') {
      number += '.';
    }
  }
  Add(key, number);
}

void JsonObject::Integer(const char* key, int64_t value) { Add(key, std::to_string(value)); }

void JsonObject::Flag(const char* key, bool value) { Add(key, value ? "true" : "false"); }

void JsonObject::Integers(const char* key, const std::vector<int>& values) {
  Add(key, IntegerArray(values));
}

void JsonObject::Shapes(const char* key, const std::vector<std::vector<int>>& shapes) {
  Add(key, Array(shapes, IntegerArray));
}

std::string Printable(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const uint32_t code = NextCodePoint(text, &at);
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    if (control || code == kReplacement) {
      out += "\xEF\xBF\xBD";
    } else {
      out.append(text, begin, at - begin);
    }
  }
  return out;
}

}  // namespace sbnn
