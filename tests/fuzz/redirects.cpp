// Input: a page's URL, a Location, a Retry-After, a line each. A redirect leads to http or https
// without credentials and without a control character, and is a fixed point; a wait is between
// nothing and a day.
#include "runtime/outbound/http_redirects.hpp"
#include "runtime/policy/retry_after.hpp"
#include "tests/fuzz/property.hpp"

using namespace quell;
using fuzz::hold;

namespace {

void hold_where_it_leads(const std::string& given, const std::string& location) {
  const auto page = resolve_url(given, given);  // only from such a URL can a redirect come
  if (!page) return;
  const std::string& base = *page;
  const auto target = resolve_url(base, location);
  if (!target) return;
  hold(target->starts_with("http://") || target->starts_with("https://"), "it stays with http");
  for (const char c : *target)
    hold(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "no control character");
  hold(target->find('#') == std::string::npos, "no fragment is sent");
  const auto again = resolve_url(*target, *target);  // without the dots that its page may have had
  hold(again.ok() && resolve_url(*again, *again).value() == *again,
       "resolved again it is the same");
  const std::size_t host = target->find("://") + 3;
  hold(target->substr(host, target->find('/', host) - host).find('@') == std::string::npos,
       "no credentials in it");

  const auto request = HttpRequest(base).redirects(3).header("X-Key", "k").bearer_secret("s");
  const auto next = redirected(request, 302, location);
  if (!next) return;
  hold(next->redirects() == 2, "one less to go");
  hold(!base.starts_with("https://") || next->url().starts_with("https://"), "never down to http");
  if (origin_of(next->url()) == origin_of(base)) return;
  hold(next->secret().empty(), "no secret travels to another origin");
  for (const auto& [name, value] : next->headers()) hold(name != "X-Key", "nor what may be one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 3);
  hold_where_it_leads(std::string(parts[0]), std::string(parts[1]));
  const std::string said{parts[2]};
  const HttpReply reply(429, {{"Retry-After", said}, {"Date", std::string(parts[1])}}, "");
  if (const auto wait = retry_after(reply, Instant{}))
    hold(*wait >= Millis{0} && *wait <= Millis{std::chrono::hours{24}}, "a wait of at most a day");
  return 0;
}
