// Input: a key, a list and a token, a line each. Only what was sealed with this key for this list
// is read, and it reads back.
#include "http/api/page_token.hpp"

#include "tests/fuzz/property.hpp"

using namespace quell;
using fuzz::hold;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 3);
  const std::string key{parts[0]}, list{parts[1]};
  if (list.find('\0') != std::string::npos) return 0;  // a filter's text is no place for it
  hold(!http::read_page_token(key + "k", list, parts[2]).ok() ||
           http::read_page_token(key + "k", list, parts[2]).value() != parts[2],
       "a token is not its own content");
  const std::string token = http::make_page_token(key, list, parts[2]);
  const auto back = http::read_page_token(key, list, token);
  hold(back.ok() && *back == parts[2], "what was sealed is read");
  hold(!http::read_page_token(key + "k", list, token), "not with another key");
  hold(!http::read_page_token(key, list + "l", token), "not for another list");
  for (std::size_t i = 0; i < token.size(); i += 1 + token.size() / 16) {
    std::string changed = token;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    hold(!http::read_page_token(key, list, changed), "not when a byte was changed");
  }
  return 0;
}
