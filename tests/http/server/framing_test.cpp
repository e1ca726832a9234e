#include "http/server/framing.hpp"

#include <gtest/gtest.h>

namespace quell::http {
namespace {

Result<Head> read(const std::string& lines) {
  return read_head(lines + "\r\n\r\n", {});
}

void expect_refused(const std::string& lines) {
  const Result<Head> head = read(lines);
  ASSERT_FALSE(head.ok()) << lines;
  EXPECT_EQ(head.error().code, ErrorCode::invalid_request) << lines;
}

TEST(Framing, ReadsAnOrdinaryRequest) {
  const auto head = read("GET /a/b?x=1 HTTP/1.1\r\nHost: h\r\nAccept:  */* \r\nX-Y: z");
  ASSERT_TRUE(head.ok());
  const Request& request = head.value().request;
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/a/b");
  EXPECT_EQ(request.query, "x=1");
  EXPECT_EQ(request.header("accept"), "*/*");
  EXPECT_EQ(request.header("missing"), "");
  EXPECT_TRUE(request.keep_alive);
  EXPECT_FALSE(head.value().framing.content_length);
}

TEST(Framing, ViewsSurviveMovingTheRequest) {
  auto head = read("GET /a HTTP/1.1\r\nHost: h");
  ASSERT_TRUE(head.ok());
  const Request moved = std::move(head->request);
  head = Error{};
  EXPECT_EQ(moved.path, "/a");
  EXPECT_EQ(moved.header("Host"), "h");
}

TEST(Framing, RefusesEveryAmbiguousLength) {
  const std::string start = "POST / HTTP/1.1\r\nHost: h\r\n";
  for (const char* fields : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked",
           "Transfer-Encoding: chunked\r\nContent-Length: 5",
           "Transfer-Encoding: gzip\r\nContent-Length: 5",
           "Transfer-Encoding: gzip",
           "Transfer-Encoding: chunked, gzip",
           "Transfer-Encoding: gzip, chunked",
           "Transfer-Encoding: chunked, chunked",
           "Transfer-Encoding: identity",
           "Transfer-Encoding: xchunked",
           "Transfer-Encoding: \"chunked\"",
           "Transfer-Encoding: chunked;q=1",
           "Transfer-Encoding:",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip",
           "Content-Length: 5\r\nContent-Length: 5",
           "Content-Length: 5\r\nContent-Length: 6",
           "Content-Length: 5, 5",
           "Content-Length: 5,6",
           "Content-Length: +5",
           "Content-Length: -5",
           "Content-Length: 0x5",
           "Content-Length: 5 5",
           "Content-Length: 5a",
           "Content-Length:",
           "Content-Length: 99999999999999999999",
       })
    expect_refused(start + fields);
}

TEST(Framing, RefusesChunkedInHttp10) {
  expect_refused("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked");
}

TEST(Framing, RefusesWhatIsNoHeaderLine) {
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (const char* line : {
           "Content-Length : 5",
           "Transfer-Encoding : chunked",
           "Transfer-Encoding\t: chunked",
           " folded: 1",
           "A: 1\r\n continued",
           "A: 1\r\n\tcontinued",
           "no colon",
           ": no name",
           "A b: 1",
           "A\"b: 1",
           "A(b): 1",
       })
    expect_refused(start + line);
  expect_refused(start + std::string("A: 1\0002", 6));
  expect_refused(start + "A: 1\r2");
  expect_refused(start + "A: 1\nB: 2");
  expect_refused(start + "A: \x01");
  expect_refused(start + "A: \x7f");
  expect_refused(start + "\x80: 1");
}

TEST(Framing, WantsExactlyOneHost) {
  expect_refused("GET / HTTP/1.1\r\nAccept: a");
  expect_refused("GET / HTTP/1.0\r\nAccept: a");
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a");
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\nhost: b");
}

TEST(Framing, RefusesOddRequestLines) {
  for (const char* line : {
           "GET /",
           "GET  / HTTP/1.1",
           "GET / HTTP/1.1 ",
           " GET / HTTP/1.1",
           "GET / HTTP/2.0",
           "GET / HTTP/1.2",
           "GET / http/1.1",
           "GET / HTTP/1.10",
           "G@T / HTTP/1.1",
           "/ HTTP/1.1",
           "GET http://h/ HTTP/1.1",
           "CONNECT h:1 HTTP/1.1",
           "OPTIONS * HTTP/1.1",
           "GET /a b HTTP/1.1",
           "GET /#x HTTP/1.1",
           "GET /\x80 HTTP/1.1",
           "GET\t/\tHTTP/1.1",
       })
    expect_refused(std::string(line) + "\r\nHost: h");
}

TEST(Framing, KeepsTheConnectionAsAsked) {
  EXPECT_FALSE(read("GET / HTTP/1.0\r\nHost: h").value().request.keep_alive);
  EXPECT_TRUE(
      read("GET / HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive").value().request.keep_alive);
  EXPECT_FALSE(read("GET / HTTP/1.1\r\nHost: h\r\nConnection: close").value().request.keep_alive);
  EXPECT_FALSE(read("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, close")
                   .value()
                   .request.keep_alive);
  EXPECT_FALSE(read("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nConnection: keep-alive")
                   .value()
                   .request.keep_alive);
}

TEST(Framing, KnowsExpectationsThatItCanMeet) {
  const auto head = read("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-Continue");
  ASSERT_TRUE(head.ok());
  EXPECT_TRUE(head.value().framing.expects_continue);
  EXPECT_EQ(head.value().framing.content_length, 5u);
  expect_refused("POST / HTTP/1.1\r\nHost: h\r\nExpect: tea");
}

TEST(Framing, HoldsItsLimitsExactly) {
  const std::string uri_fits(4096, 'a');
  EXPECT_TRUE(read("GET /" + uri_fits.substr(1) + " HTTP/1.1\r\nHost: h").ok());
  EXPECT_EQ(read("GET /" + uri_fits + " HTTP/1.1\r\nHost: h").error().code,
            ErrorCode::uri_too_long);
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nA: ";
  const std::string fits(8192 - start.size() - 4, 'a');
  EXPECT_TRUE(read(start + fits).ok());
  EXPECT_EQ(read(start + fits + "a").error().code, ErrorCode::headers_too_large);
  std::string many = "GET / HTTP/1.1\r\nHost: h";
  for (int i = 0; i < 99; ++i) many += "\r\nA: 1";
  EXPECT_TRUE(read(many).ok());
  EXPECT_EQ(read(many + "\r\nA: 1").error().code, ErrorCode::headers_too_large);
}

TEST(Framing, SaysEarlyThatAHeadIsTooLong) {
  EXPECT_FALSE(too_long(std::string(4000, 'a'), {}));
  EXPECT_EQ(too_long(std::string(4200, 'a'), {})->code, ErrorCode::uri_too_long);
  EXPECT_EQ(too_long("GET / HTTP/1.1\r\nA: " + std::string(8200, 'a'), {})->code,
            ErrorCode::headers_too_large);
}

}  // namespace
}  // namespace quell::http
