#include "runtime/celery/resp.hpp"

#include <gtest/gtest.h>

namespace quell::celery {
namespace {

using Flow = RespReader::Flow;

std::string command(const Words& words) {
  std::string wire = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words)
    wire += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return wire;
}

Flow read(std::string_view wire, Words& words, RespLimits limits = {}) {
  RespReader reader(limits);
  reader.add(wire);
  return reader.next(words);
}

TEST(Resp, ACommandIsReadHoweverItIsCut) {
  const Words sent{"LPUSH",
                   "celery\x06\x16"
                   "3",
                   std::string("a\r\n\0b", 5), ""};
  const std::string wire = command(sent) + command({"PING"});
  for (std::size_t cut = 1; cut < wire.size(); ++cut) {
    RespReader reader(RespLimits{});
    std::vector<Words> heard;
    for (std::size_t at = 0; at < wire.size(); at += cut) {
      reader.add(std::string_view(wire).substr(at, cut));
      Words words;
      while (reader.next(words) == Flow::command) heard.push_back(words);
    }
    ASSERT_EQ(heard.size(), 2u) << cut;
    EXPECT_EQ(heard[0], sent) << cut;
    EXPECT_EQ(heard[1], Words{"PING"}) << cut;
    EXPECT_EQ(reader.held(), 0u);
  }
}

TEST(Resp, ALengthThatLiesEndsTheConnection) {
  Words words;
  for (const char* wire :
       {"*1\r\n$3\r\nPING\r\n", "*-1\r\n", "*x\r\n", "*1\r\n$-5\r\n", "*1\r\n:4\r\n", "PING\r\n",
        "*99999999999999999999\r\n", "*\r\n", "*1\r\n$\r\n", "*1 \r\n", "*1\r\n$0x4\r\nPING\r\n"})
    EXPECT_EQ(read(wire, words), Flow::broken) << wire;
}

TEST(Resp, WhatIsTooLargeIsRefusedByItsLengthBeforeItComes) {
  Words words;
  RespLimits limits{.words = 4, .word = 100, .command = 150};
  EXPECT_EQ(read("*5\r\n", words, limits), Flow::broken);
  EXPECT_EQ(read("*1\r\n$101\r\n", words, limits), Flow::broken);
  EXPECT_EQ(read("*2\r\n$100\r\n" + std::string(100, 'x') + "\r\n$51\r\n", words, limits),
            Flow::broken);
  EXPECT_EQ(read("*1\r\n$100\r\n", words, limits), Flow::more);
}

TEST(Resp, ALengthWithoutAnEndIsNotWaitedForForEver) {
  Words words;
  EXPECT_EQ(read("*1", words), Flow::more);
  EXPECT_EQ(read("*" + std::string(40, '1'), words), Flow::broken);
}

TEST(Resp, WhatIsBrokenStaysBroken) {
  RespReader reader(RespLimits{});
  Words words;
  reader.add("nonsense\r\n");
  EXPECT_EQ(reader.next(words), Flow::broken);
  reader.add(command({"PING"}));
  EXPECT_EQ(reader.next(words), Flow::broken);
}

TEST(Resp, AnEmptyArrayIsNoCommandAndNoFault) {
  RespReader reader(RespLimits{});
  Words words;
  reader.add("*0\r\n" + command({"PING"}));
  EXPECT_EQ(reader.next(words), Flow::command);
  EXPECT_EQ(words, Words{"PING"});
}

TEST(Resp, AnswersAreOfTheProtocolThatWasChosen) {
  EXPECT_EQ(resp::nothing(2), "$-1\r\n");
  EXPECT_EQ(resp::nothing(3), "_\r\n");
  EXPECT_EQ(resp::push_of(3, 2), "*3\r\n");
  EXPECT_EQ(resp::push_of(3, 3), ">3\r\n");
  EXPECT_EQ(resp::map_of(2, 2), "*4\r\n");
  EXPECT_EQ(resp::map_of(2, 3), "%2\r\n");
  EXPECT_EQ(resp::bulk("a\r\n"), "$3\r\na\r\n\r\n");
  EXPECT_EQ(resp::error("ERR two\r\nlines"), "-ERR two  lines\r\n");
}

}  // namespace
}  // namespace quell::celery
