#include "http/api/console_page.hpp"

#include <algorithm>

#include "runtime/base/digest.hpp"
#include "runtime/base/hex.hpp"

namespace quell::http {

namespace {

constexpr std::string_view prefix_mark = "{{prefix}}";

// Scripts and styles come from here alone, and no text that came with a job is ever run.
constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'";

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "/quell" of "https://ops.example/quell/"; what could end an attribute of HTML is no path of ours.
std::string prefix_of(std::string_view public_url) {
  const std::size_t host = public_url.find("://");
  if (host == std::string_view::npos) return {};
  const std::size_t slash = public_url.find('/', host + 3);
  if (slash == std::string_view::npos) return {};
  std::string_view path = public_url.substr(slash);
  path = path.substr(0, path.find_first_of("?#"));
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  if (path.find_first_of("\"'<>& ") != std::string_view::npos) return {};
  return std::string{path};
}

const ConsoleFile* find_file(std::string_view path) {
  const auto files = console_files();
  const auto found = std::find_if(files.begin(), files.end(),
                                  [path](const ConsoleFile& file) { return file.path == path; });
  return found == files.end() ? nullptr : &*found;
}

bool is_known(const Request& request, std::string_view tag) {
  const std::string_view known = request.header("If-None-Match");
  return known.find(tag) != std::string_view::npos;
}

Response not_modified(std::string tag) {
  Response response;
  response.status = 304;
  response.content_type.clear();
  response.headers.emplace_back("ETag", std::move(tag));
  return response;
}

Response file_reply(const Request& request, const ConsoleFile& file) {
  const std::string_view coding = coding_for(request.header("Accept-Encoding"));
  std::string tag = "\"" + std::string{file.digest.substr(0, 32)};
  tag.append(coding.empty() ? "" : "-").append(coding).append("\"");
  if (is_known(request, tag)) return not_modified(std::move(tag));
  Response response;
  response.content_type = file.type;
  response.body = coding == "br" ? file.brotli : coding == "gzip" ? file.gzip : file.plain;
  if (!coding.empty()) response.headers.emplace_back("Content-Encoding", coding);
  response.headers.emplace_back("ETag", std::move(tag));
  response.headers.emplace_back("Vary", "Accept-Encoding");
  // Its name holds its digest: what is under it never changes.
  response.headers.emplace_back("Cache-Control", "public, max-age=31536000, immutable");
  return response;
}

// What people type and what a link leads to; programs that ask for something else are told 404.
bool asks_for_a_page(const Request& request) {
  if (request.path.substr(0, 5) == "/api/") return false;
  if (request.path.substr(0, 8) == "/assets/") return false;
  return request.header("Accept").find("text/html") != std::string_view::npos;
}

}  // namespace

std::string_view coding_for(std::string_view accept_encoding) {
  bool gzip = false, brotli = false;
  while (!accept_encoding.empty()) {
    const std::size_t comma = accept_encoding.find(',');
    const std::string_view range = accept_encoding.substr(0, comma);
    const std::string_view name = without_blanks(range.substr(0, range.find(';')));
    // Zero is said as 0, 0. and 0.000; anything else takes it.
    const std::size_t weight = range.find("q=");
    const bool takes = weight == std::string_view::npos ||
                       range.substr(weight + 2).find_first_not_of("0. ") != std::string_view::npos;
    gzip = gzip || (takes && same_text(name, "gzip"));
    brotli = brotli || (takes && same_text(name, "br"));
    accept_encoding =
        comma == std::string_view::npos ? std::string_view{} : accept_encoding.substr(comma + 1);
  }
  if (brotli) return "br";
  return gzip ? "gzip" : "";
}

ConsolePage::ConsolePage(std::string_view public_url) {
  const ConsoleFile* index = find_file("/index.html");
  if (index == nullptr) return;
  page_ = index->plain;
  const std::string prefix = prefix_of(public_url);
  for (std::size_t at = page_.find(prefix_mark); at != std::string::npos;
       at = page_.find(prefix_mark, at + prefix.size()))
    page_.replace(at, prefix_mark.size(), prefix);
  page_tag_ = "\"" + hex(sha256(page_)).substr(0, 32) + "\"";
}

Response ConsolePage::page(const Request& request) const {
  Response response = is_known(request, page_tag_) ? not_modified(page_tag_) : Response{};
  if (response.status == 200) {
    response.content_type = "text/html; charset=utf-8";
    response.body = page_;
    response.headers.emplace_back("ETag", page_tag_);
  }
  response.headers.emplace_back("Content-Security-Policy", page_policy);
  response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.emplace_back("Permissions-Policy",
                                "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
  response.headers.emplace_back("Cache-Control", "no-cache");
  return response;
}

std::optional<Response> ConsolePage::answer(const Request& request) const {
  if (page_.empty() || (request.method != "GET" && request.method != "HEAD")) return std::nullopt;
  if (request.path.substr(0, 8) == "/assets/") {
    const ConsoleFile* file = find_file(request.path);
    if (file == nullptr) return std::nullopt;
    return file_reply(request, *file);
  }
  if (!asks_for_a_page(request)) return std::nullopt;
  return page(request);
}

}  // namespace quell::http
