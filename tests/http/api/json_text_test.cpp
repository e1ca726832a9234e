#include "http/api/views/json_text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "http/api/views/json_writer.hpp"

namespace quell::http {
namespace {

TEST(JsonText, AcceptsWhatTheGrammarAllows) {
  for (const char* text : {"{}", "[]", " { } ", "null", "true", "-0", "0.5", "1e9", "-1.25E-3",
                           "\"\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"ü€😀\"",
                           R"({"a":{"b":[1,2,{"c":null}]},"d":"x"})", "[1 , 2\n,\t3 ]"})
    EXPECT_TRUE(read_json(text).ok()) << text;
}

TEST(JsonText, RefusesWhatTwoReadersCouldUnderstandDifferently) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "[1,]",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{'a':1}",
                           "01",
                           "1.",
                           ".5",
                           "+1",
                           "1e",
                           "NaN",
                           "Infinity",
                           "tru",
                           "nul",
                           "\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\n\"",
                           "{} {}",
                           "1 2",
                           "[1 2]",
                           "{\"a\" 1}",
                           "{\"a\":}",
                           "/*c*/1",
                           "\"\\u0000\"",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\\ud800\\u0041\"",
                           R"({"a":1,"a":2})",
                           R"({"a":1,"\u0061":2})",
                           R"({"x":{"k":1,"k":1}})",
                           "\xef\xbb\xbf{}",
                           "-",
                           "[",
                           "[1"})
    EXPECT_FALSE(read_json(text).ok()) << text;
}

// Another reader takes such a number for no number, or for infinity.
TEST(JsonText, RefusesANumberThatNoDoubleHolds) {
  const std::string nines(400, '9');
  for (const std::string& text :
       std::vector<std::string>{"1e999", "[-1E+400]", nines, nines + ".5"})
    EXPECT_FALSE(read_json(text).ok()) << text;
  for (const std::string& text :
       std::vector<std::string>{"1e308", "1e-400", "-0e999", "0." + nines, nines + "e-300"})
    EXPECT_TRUE(read_json(text).ok()) << text;
}

TEST(JsonText, RefusesBrokenUtf8) {
  for (const char* bytes :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xc3(", "\xff"})
    EXPECT_FALSE(read_json('"' + std::string(bytes) + '"').ok());
  EXPECT_FALSE(read_json(std::string_view("\"a\0b\"", 5)).ok());
}

TEST(JsonText, HoldsTheLimitOfMembersExactly) {
  const auto with = [](int members) {
    std::string text = "{\"m\":0";
    for (int i = 1; i < members; ++i) text += ",\"m" + std::to_string(i) + "\":0";
    return text + "}";
  };
  EXPECT_TRUE(read_json(with(10'000)).ok());
  EXPECT_FALSE(read_json(with(10'001)).ok());
}

TEST(JsonText, HoldsTheDepthLimitExactly) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_TRUE(read_json(nested(64)).ok());
  EXPECT_FALSE(read_json(nested(65)).ok());
}

TEST(JsonText, FindsTwiceUsedNamesInLargeObjects) {
  std::string text = "{";
  for (int i = 0; i < 500; ++i) text += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_TRUE(read_json(text + "\"last\":1}").ok());
  EXPECT_FALSE(read_json(text + "\"k7\":1}").ok());
}

TEST(JsonText, CutsMembersAndItemsAsText) {
  const std::string text = R"( {"a" : { "x":[1,"}"] } , "b\"c":-1.50, "d":"\u00fc\n"} )";
  const auto value = read_json(text);
  ASSERT_TRUE(value.ok());
  const auto members = value.value().members();
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0].name, "a");
  EXPECT_EQ(members[0].value.text(), R"({ "x":[1,"}"] })");
  EXPECT_EQ(members[1].name, "b\"c");
  EXPECT_EQ(members[1].value.text(), "-1.50");
  EXPECT_EQ(members[2].value.string(), "ü\n");
  const auto items = members[0].value.members()[0].value.items();
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[1].string(), "}");
}

TEST(JsonText, ReadsNumbersWithoutLoss) {
  EXPECT_EQ(JsonValue{"9223372036854775807"}.integer(), INT64_MAX);
  EXPECT_FALSE(JsonValue{"9223372036854775808"}.integer());
  EXPECT_FALSE(JsonValue{"1.0"}.integer());
  EXPECT_FALSE(JsonValue{"\"1\""}.integer());
  EXPECT_EQ(JsonValue{"0.1"}.number(), 0.1);
}

TEST(JsonText, AgreesWithAnotherReader) {
  std::uint64_t state = 42;
  const auto roll = [&state](std::uint64_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % below;
  };
  static constexpr std::string_view alphabet = "{}[]\",:0123.eE+-tfn \\u\"\"{}";
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    for (std::uint64_t i = 0, n = 1 + roll(9); i < n; ++i) text += alphabet[roll(alphabet.size())];
    const bool ours = read_json(text).ok();
    const nlohmann::json other = nlohmann::json::parse(text, nullptr, false);
    // Ours may be stricter, for names used twice, never laxer.
    if (ours) {
      ASSERT_FALSE(other.is_discarded()) << text;
      ++accepted;
    } else if (!other.is_discarded()) {
      EXPECT_NE(text.find(':'), std::string::npos) << text;
    }
  }
  EXPECT_GT(accepted, 1000);
}

TEST(JsonWriter, EscapesWhatJsonCannotHold) {
  const std::string text = "a\"b\\c\n\t\x01\x1f ü";
  EXPECT_EQ(nlohmann::json::parse(json_string(text)).get<std::string>(), text);
}

TEST(JsonWriter, NeverWritesBrokenUtf8) {
  const std::string text = json_string(
      "a\xff"
      "b\xe2\x82");
  EXPECT_FALSE(nlohmann::json::parse(text, nullptr, false).is_discarded());
  EXPECT_EQ(text,
            "\"a\xef\xbf\xbd"
            "b\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(JsonWriter, TimesSurviveTheRoundTrip) {
  for (const std::int64_t ms : {0LL, 1'700'000'000'123LL, 951'782'400'000LL, 4'102'444'799'999LL}) {
    const Instant at{Millis{ms}};
    EXPECT_EQ(parse_time(time_text(at)), at) << time_text(at);
  }
  EXPECT_EQ(time_text(Instant{Millis{951'782'400'000}}), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(parse_time("2026-01-01T01:30:00+01:30"), parse_time("2026-01-01T00:00:00Z"));
  for (const char* text : {"", "2026-02-29T00:00:00Z", "2026-01-01", "2026-01-01T24:00:00Z",
                           "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "x026-01-01T00:00:00Z",
                           "2026-1-01T00:00:00Z", "2026-01-01T00:00:00Zz"})
    EXPECT_FALSE(parse_time(text)) << text;
}

}  // namespace
}  // namespace quell::http
