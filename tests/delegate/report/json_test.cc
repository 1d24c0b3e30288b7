// JSON that any reader takes, and text that any terminal takes.
#include <clocale>
#include <limits>
#include <string>

#include "delegate/report/json.h"
#include "gtest/gtest.h"

namespace sbnn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string Quoted(const std::string& text) {
  JsonObject json;
  json.Text("k", text);
  const std::string line = json.Line();
  return line.substr(6, line.size() - 8);  // without {"k":" and "}
}

TEST(Json, MembersInTheirOrder) {
  JsonObject json;
  EXPECT_EQ(json.Line(), "{}");
  json.Text("text", "a \"b\"");
  json.Number("number", 0.25);
  json.Integer("integer", -(int64_t{1} << 40));
  json.Flag("flag", true);
  json.Integers("integers", {1, -2, 3});
  json.Shapes("shapes", {{1, 2}, {}, {3}});
  json.Integers("none", {});
  EXPECT_EQ(json.Line(), R"({"text":"a \"b\"","number":0.25,"integer":-1099511627776,"flag":true,)"
                         R"("integers":[1,-2,3],"shapes":[[1,2],[],[3]],"none":[]})");
}

// ASCII comes out, and what any reader of JSON takes for the same text.
TEST(Json, TextIsEscaped) {
  EXPECT_EQ(Quoted("\"\\/"), R"(\"\\/)");
  EXPECT_EQ(Quoted("a\nb\tc\x01\x1f\x7f"), "a\\u000ab\\u0009c\\u0001\\u001f\\u007f");
  EXPECT_EQ(Quoted(std::string("a\0b", 3)), "a\\u0000b");
  EXPECT_EQ(Quoted("\xC3\xA9"), "\\u00e9");                 // é
  EXPECT_EQ(Quoted("\xE2\x82\xAC"), "\\u20ac");             // €
  EXPECT_EQ(Quoted("\xF0\x9F\x98\x80"), "\\ud83d\\ude00");  // beyond 16 bits
  EXPECT_EQ(Quoted("\xF4\x8F\xBF\xBF"), "\\udbff\\udfff");  // the last one
}

// As often as Unicode recommends, and Python's errors="replace" does.
TEST(Json, WhatIsNoUtf8IsReplaced) {
  const std::string r = "\\ufffd";
  EXPECT_EQ(Quoted("\x80"), r);                          // no beginning
  EXPECT_EQ(Quoted("a\xFF\xFE z"), "a" + r + r + " z");  // never bytes of UTF-8
  EXPECT_EQ(Quoted("\xC3"), r);                          // the end of the text is missing
  EXPECT_EQ(Quoted("\xC3(\xC3"), r + "(" + r);
  EXPECT_EQ(Quoted("\xE2\x82"), r);
  EXPECT_EQ(Quoted("\xE2\x82z"), r + "z");
  EXPECT_EQ(Quoted("\xF0\x9F\x98z"), r + "z");
  EXPECT_EQ(Quoted("\xC0\xAF"), r + r);                  // a long form of "/"
  EXPECT_EQ(Quoted("\xE0\x80\xAF"), r + r + r);          // another
  EXPECT_EQ(Quoted("\xED\xA0\x80"), r + r + r);          // half of a pair of UTF-16
  EXPECT_EQ(Quoted("\xF4\x90\x80\x80"), r + r + r + r);  // beyond the last code point
}

TEST(Json, NumbersThatJsonDoesNotHaveAreNull) {
  for (double value : {kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN()}) {
    JsonObject json;
    json.Number("k", value);
    EXPECT_EQ(json.Line(), "{\"k\":null}");
  }
}

// A program may have set a locale that writes 0,5.
TEST(Json, NumbersInAnyLocale) {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8", "C"}) {
    if (std::setlocale(LC_NUMERIC, name) == nullptr) continue;
    JsonObject json;
    json.Number("a", 0.5);
    json.Number("b", -1.25e-9);
    json.Number("c", 3);
    EXPECT_EQ(json.Line(), R"({"a":0.5,"b":-1.25e-09,"c":3})") << name;
  }
  std::setlocale(LC_NUMERIC, before.c_str());
}

TEST(Printable, OneLineOfUtf8) {
  EXPECT_EQ(Printable("caf\xC3\xA9 \xF0\x9F\x98\x80"), "caf\xC3\xA9 \xF0\x9F\x98\x80");
  EXPECT_EQ(Printable("a\nb"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(Printable("\x1B[31m\x7F\xC2\x9B"), "\xEF\xBF\xBD[31m\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(Printable("\xFF"), "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace sbnn
