#include "runtime/outbound/address_filter.hpp"

#include <gtest/gtest.h>

namespace quell {
namespace {

struct Vector {
  const char* host;
  const char* why;  // "" allowed, "name" not an address, "malformed" refused as such
};

// Hosts as they may stand in a URL, judged the way the client judges them.
const Vector vectors[] = {
    {"8.8.8.8", ""},
    {"1.1.1.1", ""},
    {"9.255.255.255", ""},
    {"11.0.0.0", ""},
    {"100.63.255.255", ""},
    {"100.128.0.0", ""},
    {"128.0.0.1", ""},
    {"172.15.255.255", ""},
    {"172.32.0.0", ""},
    {"192.0.1.1", ""},
    {"192.167.255.255", ""},
    {"198.17.255.255", ""},
    {"198.20.0.0", ""},
    {"223.255.255.255", ""},
    {"134744072", ""},  // 8.8.8.8
    {"0x08.8.8.010", ""},
    {"[2001:4860:4860::8888]", ""},
    {"[2606:4700::1111]", ""},
    {"[::ffff:8.8.8.8]", ""},
    {"0.0.0.0", "this network"},
    {"0.255.255.255", "this network"},
    {"0", "this network"},
    {"10.0.0.1", "private"},
    {"10.255.255.255", "private"},
    {"100.64.0.1", "carrier NAT"},
    {"100.127.255.255", "carrier NAT"},
    {"127.0.0.1", "loopback"},
    {"127.255.255.254", "loopback"},
    {"127.0.0.1.", "loopback"},
    {"127.1", "loopback"},
    {"127.0.1", "loopback"},
    {"2130706433", "loopback"},
    {"017700000001", "loopback"},
    {"0x7f000001", "loopback"},
    {"0X7F000001", "loopback"},
    {"0x7f.0x0.0x0.0x1", "loopback"},
    {"0177.0.0.1", "loopback"},
    {"0x7f.1", "loopback"},
    {"00000177.1", "loopback"},
    {"169.254.169.254", "link-local"},
    {"2852039166", "link-local"},
    {"0xa9fea9fe", "link-local"},
    {"0251.0376.0251.0376", "link-local"},
    {"169.254.43518", "link-local"},
    {"172.16.0.1", "private"},
    {"172.31.255.255", "private"},
    {"192.0.0.8", "IETF protocol"},
    {"192.0.2.1", "documentation"},
    {"192.88.99.1", "6to4 relay"},
    {"192.168.0.1", "private"},
    {"0300.0250.0.1", "private"},
    {"198.18.0.1", "benchmarking"},
    {"198.19.255.255", "benchmarking"},
    {"198.51.100.7", "documentation"},
    {"203.0.113.7", "documentation"},
    {"224.0.0.1", "multicast"},
    {"239.255.255.250", "multicast"},
    {"240.0.0.1", "reserved"},
    {"255.255.255.255", "broadcast"},
    {"4294967295", "broadcast"},
    {"[::]", "unspecified"},
    {"[::1]", "loopback"},
    {"::1", "loopback"},
    {"[0:0:0:0:0:0:0:1]", "loopback"},
    {"[::127.0.0.1]", "v4-compatible"},
    {"[::ffff:127.0.0.1]", "loopback"},
    {"[::ffff:7f00:1]", "loopback"},
    {"[0:0:0:0:0:ffff:7f00:0001]", "loopback"},
    {"[::FFFF:169.254.169.254]", "link-local"},
    {"[::ffff:10.1.2.3]", "private"},
    {"[::ffff:0:127.0.0.1]", "v4-translated"},
    {"[64:ff9b::7f00:1]", "NAT64"},
    {"[64:ff9b:1::a00:1]", "NAT64"},
    {"[100::1]", "discard"},
    {"[2001::1]", "IETF protocol"},  // Teredo
    {"[2001:2::1]", "IETF protocol"},
    {"[2001:10::1]", "IETF protocol"},
    {"[2001:db8::1]", "documentation"},
    {"[2002:7f00:1::]", "6to4"},
    {"[2002:a00:1::1]", "6to4"},
    {"[3fff::1]", "documentation"},
    {"[4000::1]", "not global unicast"},
    {"[5f00::1]", "SRv6"},
    {"[fc00::1]", "unique local"},
    {"[fd12:3456:789a::1]", "unique local"},
    {"[fe80::1]", "link-local"},
    {"[febf::1]", "link-local"},
    {"[fec0::1]", "site-local"},
    {"[ff02::1]", "multicast"},
    {"example.com", "name"},
    {"localhost", "name"},
    {"0x7f.example", "name"},
    {"1.2.3.4.example", "name"},
    {"1.2.3.4.nip.io", "name"},
    {"deadbeef", "name"},
    {"", "malformed"},
    {".", "malformed"},
    {"1.2.3.4.5", "malformed"},
    {"256.1.1.1", "malformed"},
    {"1.2.3.256", "malformed"},
    {"4294967296", "malformed"},
    {"99999999999999999999999", "malformed"},
    {"1..2", "malformed"},
    {"127.0.0.09", "malformed"},
    {"example.1", "malformed"},
    {"[::1", "malformed"},
    {"[127.0.0.1]", "malformed"},
    {"[fe80::1%eth0]", "malformed"},
    {"[1::2::3]", "malformed"},
    {"[1:2:3:4:5:6:7:8:9]", "malformed"},
    {"[12345::]", "malformed"},
    {"[::1.2.3]", "malformed"},
    {":::", "malformed"},
};

std::string verdict(const AddressFilter& filter, std::string_view host) {
  const HostLiteral literal = read_host(host);
  if (literal.form == HostForm::name) return "name";
  if (literal.form == HostForm::malformed) return "malformed";
  return std::string(filter.why_refused(*literal.address));
}

TEST(AddressFilter, JudgesEverySpellingOfAnAddressByWhatItReaches) {
  static_assert(std::size(vectors) >= 60);
  const AddressFilter filter;
  for (const Vector& vector : vectors)
    EXPECT_EQ(verdict(filter, vector.host), vector.why) << "host '" << vector.host << "'";
}

TEST(AddressFilter, AllowsWhatTheListContainsAndNothingBesideIt) {
  const AddressFilter filter({Cidr::parse("10.1.0.0/16").value(), Cidr::parse("fd00::/8").value(),
                              Cidr::parse("127.0.0.1").value()});
  EXPECT_EQ(verdict(filter, "10.1.255.255"), "");
  EXPECT_EQ(verdict(filter, "[::ffff:10.1.2.3]"), "");
  EXPECT_EQ(verdict(filter, "10.2.0.0"), "private");
  EXPECT_EQ(verdict(filter, "[fd00::1]"), "");
  EXPECT_EQ(verdict(filter, "[fc00::1]"), "unique local");
  EXPECT_EQ(verdict(filter, "0x7f000001"), "");
  EXPECT_EQ(verdict(filter, "127.0.0.2"), "loopback");
}

TEST(AddressFilter, AnAllowedBlockOpensNeitherACloudsMetadataNorThisHostItself) {
  const auto own = IpAddress::parse("8.8.8.8").value();
  const AddressFilter wide({Cidr::parse("0.0.0.0/0").value(), Cidr::parse("::/0").value()}, {own});
  EXPECT_EQ(verdict(wide, "169.254.169.253"), "");
  EXPECT_EQ(verdict(wide, "169.254.169.254"), "link-local");
  EXPECT_EQ(verdict(wide, "[fd00:ec2::254]"), "unique local");
  EXPECT_EQ(verdict(wide, "8.8.8.8"), "this host's own");
  EXPECT_EQ(verdict(wide, "8.8.8.9"), "");
  EXPECT_EQ(verdict(AddressFilter(), "168.63.129.16"), "cloud metadata") << "a public address";
  const AddressFilter named(
      {Cidr::parse("169.254.169.254").value(), Cidr::parse("8.8.8.8").value()}, {own});
  EXPECT_EQ(verdict(named, "169.254.169.254"), "");
  EXPECT_EQ(verdict(named, "8.8.8.8"), "");
}

TEST(AddressFilter, AllOfIpv6DoesNotOpenIpv4) {
  const AddressFilter filter({Cidr::parse("::/0").value()});
  EXPECT_EQ(verdict(filter, "[::1]"), "");
  EXPECT_EQ(verdict(filter, "127.0.0.1"), "loopback");
  EXPECT_EQ(verdict(filter, "[::ffff:127.0.0.1]"), "loopback");
}

TEST(Cidr, RefusesWhatIsNotABlock) {
  for (const char* text : {"", "/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129", "a/8",
                           "10.0.0.0/-1", "10.0.0.0/8x", "010.0.0.0/8", "localhost"})
    EXPECT_FALSE(Cidr::parse(text).ok()) << text;
}

TEST(IpAddress, IsWrittenTheShortestWay) {
  const std::pair<const char*, const char*> pairs[] = {{"2001:0db8:0:0:0:0:0:1", "2001:db8::1"},
                                                       {"::", "::"},
                                                       {"1::", "1::"},
                                                       {"0:0:0:1::", "0:0:0:1::"},
                                                       {"::ffff:1.2.3.4", "1.2.3.4"},
                                                       {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
                                                       {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"}};
  for (const auto& [text, shortest] : pairs) {
    ASSERT_TRUE(IpAddress::parse(text)) << text;
    EXPECT_EQ(IpAddress::parse(text)->text(), shortest);
  }
}

}  // namespace
}  // namespace quell
