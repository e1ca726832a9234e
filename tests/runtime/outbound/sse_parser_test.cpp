#include "runtime/outbound/sse_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace quell {
namespace {

using testing::ElementsAre;

std::vector<std::string> read(const std::vector<std::string>& pieces) {
  SseParser parser;
  std::vector<std::string> events;
  const auto take = [&](const SseEvent& event) { events.push_back(event.type + "|" + event.data); };
  for (const std::string& piece : pieces) EXPECT_TRUE(parser.feed(piece, take));
  parser.finish(take);
  return events;
}

TEST(SseParser, ReadsEventsAsTheStandardSays) {
  EXPECT_THAT(read({"data: a\n\ndata:b\n\n"}), ElementsAre("|a", "|b"));
  EXPECT_THAT(read({"event: x\ndata: 1\ndata: 2\n\n"}), ElementsAre("x|1\n2"));
  EXPECT_THAT(read({": a comment\n\nid: 7\nretry: 9\ndata:  two spaces\n\n"}),
              ElementsAre("| two spaces"));
  EXPECT_THAT(read({"data\n\ndata\ndata\n\n"}), ElementsAre("|", "|\n"));
  EXPECT_THAT(read({"event: lonely\n\ndata: a\n\n"}), ElementsAre("|a"));
  EXPECT_THAT(read({"\xef\xbb\xbf"
                    "data: a\r\n\r\ndata: b\r\rdata: c\n\n"}),
              ElementsAre("|a", "|b", "|c"));
  EXPECT_THAT(read({"data: no empty line at the end"}), ElementsAre("|no empty line at the end"));
}

TEST(SseParser, DoesNotCareWhereTheStreamIsCut) {
  const std::string text =
      "\xef\xbb\xbf: hi\r\ndata: {\"a\":1}\r\n\r\nevent: e\rdata: x\rdata: y\r\r"
      "data: \xc3\xa9\n\ndata: [DONE]\n\n";
  const auto whole = read({text});
  ASSERT_EQ(whole.size(), 4u);
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  EXPECT_EQ(read(bytes), whole);
  for (std::size_t cut = 0; cut <= text.size(); ++cut)
    EXPECT_EQ(read({text.substr(0, cut), text.substr(cut)}), whole) << cut;
}

TEST(SseParser, GivesUpOnAnEventWithoutEnd) {
  SseParser parser;
  const std::string line = "data: " + std::string(1'000'000, 'x') + "\n";
  bool fits = true;
  for (int i = 0; i < 8 && fits; ++i) fits = parser.feed(line, [](const SseEvent&) { FAIL(); });
  EXPECT_FALSE(fits);
}

}  // namespace
}  // namespace quell
