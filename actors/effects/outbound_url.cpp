#include "actors/effects/outbound_url.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string_view>

namespace quell {

namespace {

struct UrlFree {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

Error bad(std::string detail) {
  return {ErrorCode::invalid_field, std::move(detail)};
}

std::optional<std::string> part(CURLU* url, CURLUPart what, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, what, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           marks.find(c) != std::string_view::npos;
  });
}

// Fields that decide where a message ends or who it is for. The client writes them; a job that
// could write them too could make one request look like two.
constexpr std::array<std::string_view, 9> own_fields{
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer",
    "te",   "expect"};

}  // namespace

Result<OutboundUrl> read_outbound_url(const std::string& text) {
  // libcurl takes some control characters and spaces for its own convenience; a URL has none.
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }))
    return bad("the URL has a control character or a space in it");
  const std::unique_ptr<CURLU, UrlFree> url(curl_url());
  if (!url) return Error{ErrorCode::internal, "out of memory"};
  // Credentials in a URL end up in logs and lists; they belong into a header, from a secret.
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER);
  if (code != CURLUE_OK) return bad(fmt::format("the URL: {}", curl_url_strerror(code)));

  OutboundUrl out;
  const auto scheme = part(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https")
    return bad("the URL must begin with http:// or https://");
  out.tls = scheme == "https";
  const auto port = part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (!port ||
      std::from_chars(port->data(), port->data() + port->size(), out.port).ec != std::errc{} ||
      out.port == 0)
    return bad("the URL's port is not one from 1 to 65535");
  if (part(url.get(), CURLUPART_ZONEID)) return bad("the URL's address names a network interface");
  const auto host = part(url.get(), CURLUPART_HOST);
  if (!host) return bad("the URL has no host");
  // libcurl would read such a name in the locale's charset, which a server does not have.
  if (std::any_of(host->begin(), host->end(), [](char c) { return (c & 0x80) != 0; }))
    return bad("the URL's host is not ASCII; write it in its xn-- form");
  out.host = *host;

  const HostLiteral literal = read_host(out.host);
  if (literal.form == HostForm::malformed)
    return bad("the URL's host is neither a name nor an address");
  if (literal.form == HostForm::address) {
    // Whatever spelling was used, from here on there is one: the address that was judged.
    out.literal = literal.address;
    out.host = literal.address->text();
    const std::string canonical =
        literal.address->is_v4() ? out.host : fmt::format("[{}]", out.host);
    curl_url_set(url.get(), CURLUPART_HOST, canonical.c_str(), 0);
  } else {
    // libcurl looks pinned names up without the final dot, and the dot does not belong into Host.
    if (out.host.back() == '.') out.host.pop_back();
    curl_url_set(url.get(), CURLUPART_HOST, out.host.c_str(), 0);
  }
  curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0);
  const auto whole = part(url.get(), CURLUPART_URL);
  if (!whole) return bad("the URL cannot be written again");
  out.url = *whole;
  return out;
}

Result<void> check_request_line(const std::string& method,
                                const std::vector<std::pair<std::string, std::string>>& headers) {
  if (!is_token(method)) return bad("the method is not a token");
  if (method == "CONNECT" || method == "TRACE")
    return bad(fmt::format("{} is not for jobs", method));
  for (const auto& [name, value] : headers) {
    if (!is_token(name)) return bad("a header's name is not a token");
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
      return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    });
    if (std::find(own_fields.begin(), own_fields.end(), lower) != own_fields.end())
      return bad(fmt::format("the header '{}' is written by the client itself", name));
    if (std::any_of(value.begin(), value.end(), [](char c) {
          return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
        }))
      return bad(fmt::format("the value of header '{}' has a control character in it", name));
  }
  return {};
}

}  // namespace quell
