// A request as it came and a reply as it will go, without any server around them, so that every
// handler can be tested by a function call.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quell::http {

struct Field {
  std::string_view name, value;
};

// The views show pieces of `head`, which is shared so that moving a request leaves them valid.
struct Request {
  std::shared_ptr<const std::string> head;
  std::string_view method, target, path, query;
  std::vector<Field> fields;
  bool keep_alive = true;
  std::string body;
  bool body_is_unread = false;  // its head was refused; whoever handles it says why
  std::string remote;           // the peer's address, without its port

  std::string_view header(std::string_view name) const;  // any case; "" when absent
  bool has_header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool close = false;  // the connection ends after this reply
};

bool same_text(std::string_view a, std::string_view b);  // ASCII, any case

// "a%20b" -> "a b"; nothing when an escape is broken, or stands for a byte below 0x20.
bool percent_decode(std::string_view text, bool plus_is_space, std::string& out);

// The query as pairs, in order. False when an escape is broken.
bool parse_query(std::string_view query, std::vector<std::pair<std::string, std::string>>& out);

std::string_view reason_phrase(int status);

}  // namespace quell::http
