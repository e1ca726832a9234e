#include "runtime/address_range.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

bool within(std::string_view range, std::string_view address) {
  const auto parsed_range = AddressRange::parse(range);
  const auto parsed = Address::parse(address);
  EXPECT_TRUE(parsed_range) << range;
  EXPECT_TRUE(parsed) << address;
  return parsed_range && parsed && parsed_range->contains(*parsed);
}

TEST(Address, ReadsOneAddressInAllItsSpellings) {
  const auto expected = Address::parse("2001:db8:0:0:0:0:0:1");
  ASSERT_TRUE(expected);
  for (const char* text : {"2001:db8::1", "2001:DB8::0001", "2001:0db8:0:0::0.0.0.1"})
    EXPECT_EQ(Address::parse(text), expected) << text;
  EXPECT_EQ(Address::parse("::"), Address{});
  EXPECT_TRUE(Address::parse("1:2:3:4:5:6:7::"));
  EXPECT_TRUE(Address::parse("::2:3:4:5:6:7:8"));
}

TEST(Address, AnIpv4AddressIsTheSameInItsIpv6Form) {
  EXPECT_EQ(Address::parse("127.0.0.1"), Address::parse("::ffff:127.0.0.1"));
  EXPECT_EQ(Address::parse("127.0.0.1"), Address::parse("::ffff:7f00:1"));
  EXPECT_TRUE(Address::parse("127.0.0.1")->is_v4());
  EXPECT_FALSE(Address::parse("::127.0.0.1")->is_v4());
}

TEST(Address, RefusesWhatSomeoneElseMightReadDifferently) {
  for (const char* text : {"",
                           ".",
                           "1.2.3",
                           "1.2.3.4.5",
                           "256.1.1.1",
                           "01.2.3.4",
                           "0x7f.0.0.1",
                           "1.2.3.",
                           "127.1",
                           "2130706433",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "+1.2.3.4",
                           ":",
                           ":::",
                           "1::2::3",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "12345::",
                           "g::",
                           "::1%eth0",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "1.2.3.4::",
                           "::1:",
                           ":1::",
                           "[::1]",
                           "::1.2.3.4:5",
                           "1:2:3:4::5:6:7:8"})
    EXPECT_FALSE(Address::parse(text)) << text;
}

TEST(AddressRange, HoldsItsFirstAndLastAddressAndNoNeighbour) {
  EXPECT_TRUE(within("10.0.0.0/8", "10.0.0.0"));
  EXPECT_TRUE(within("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(within("10.0.0.0/8", "9.255.255.255"));
  EXPECT_FALSE(within("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(within("172.16.0.0/12", "172.31.255.255"));
  EXPECT_FALSE(within("172.16.0.0/12", "172.32.0.0"));
  EXPECT_TRUE(within("fc00::/7", "fdff::1"));
  EXPECT_FALSE(within("fc00::/7", "fe00::1"));
  EXPECT_TRUE(within("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(within("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(within("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(within("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(within("::/0", "8.8.8.8"));
  EXPECT_TRUE(within("127.0.0.0/8", "::ffff:127.0.0.1"));
}

TEST(AddressRange, RefusesABadLength) {
  for (const char* text :
       {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "/8", "10.0.0.0/x"})
    EXPECT_FALSE(AddressRange::parse(text)) << text;
}

}  // namespace
}  // namespace quell
