#include "http/server/framing.hpp"

#include <array>
#include <charconv>

namespace quell::http {

namespace {

constexpr std::string_view crlf = "\r\n";

constexpr std::array<bool, 256> make_token_chars() {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (const char c : std::string_view{"!#$%&'*+-.^_`|~"})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}

constexpr std::array<bool, 256> token_chars = make_token_chars();

bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (!token_chars[static_cast<unsigned char>(c)]) return false;
  return true;
}

bool is_field_value(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

bool is_origin_form(std::string_view target) {
  if (target.empty() || target.front() != '/') return false;
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '#') return false;
  }
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Error refused(std::string detail) {
  return Error{ErrorCode::invalid_request, std::move(detail)};
}

// What only one field of a message may say, collected while the fields go by.
struct Seen {
  int hosts = 0, lengths = 0, encodings = 0;
  bool is_http_11 = true;
  bool closes = false;
};

Result<void> read_request_line(std::string_view line, const HeadLimits& limits, Request& request,
                               Seen& seen) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return refused("The request line is not 'METHOD TARGET VERSION'.");
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(request.method)) return refused("The method is not a token.");
  if (request.target.size() > limits.uri) return Error{ErrorCode::uri_too_long};
  if (!is_origin_form(request.target))
    return refused("The target must begin with '/' and hold printable ASCII only.");
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return refused("Only HTTP/1.1 and HTTP/1.0 are spoken here.");
  seen.is_http_11 = version == "HTTP/1.1";
  request.keep_alive = seen.is_http_11;
  const std::size_t question = request.target.find('?');
  request.path = request.target.substr(0, question);
  if (question != std::string_view::npos) request.query = request.target.substr(question + 1);
  return {};
}

Result<void> read_length(std::string_view value, Framing& framing) {
  std::uint64_t length = 0;
  const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (value.empty() || value.size() > 18 || fault != std::errc{} ||
      end != value.data() + value.size())
    return refused("Content-Length is not one decimal number.");
  framing.content_length = length;
  return {};
}

void read_connection(std::string_view value, Request& request, Seen& seen) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = trim(value.substr(0, comma));
    if (same_text(option, "close")) seen.closes = true;
    if (same_text(option, "keep-alive")) request.keep_alive = true;
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
  }
}

Result<void> weigh(const Field& field, Head& head, Seen& seen) {
  if (same_text(field.name, "Host")) {
    ++seen.hosts;
  } else if (same_text(field.name, "Content-Length")) {
    if (++seen.lengths > 1) return refused("Content-Length is given more than once.");
    return read_length(field.value, head.framing);
  } else if (same_text(field.name, "Transfer-Encoding")) {
    if (++seen.encodings > 1) return refused("Transfer-Encoding is given more than once.");
    if (!same_text(field.value, "chunked"))
      return refused("Transfer-Encoding may only be 'chunked'.");
    head.framing.chunked = true;
  } else if (same_text(field.name, "Connection")) {
    read_connection(field.value, head.request, seen);
  } else if (same_text(field.name, "Expect")) {
    if (!same_text(field.value, "100-continue")) return refused("Expect is not understood.");
    head.framing.expects_continue = true;
  }
  return {};
}

Result<void> read_fields(std::string_view lines, const HeadLimits& limits, Head& head, Seen& seen) {
  while (!lines.empty()) {
    const std::size_t end = lines.find(crlf);
    if (end == std::string_view::npos) return refused("A header line does not end with CRLF.");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + crlf.size());
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return refused("A header line has no colon.");
    Field field{line.substr(0, colon), trim(line.substr(colon + 1))};
    // A folded line or a blank before the colon fails here too: neither is a token.
    if (!is_token(field.name)) return refused("A header name is not a token.");
    if (!is_field_value(field.value)) return refused("A header value has a control character.");
    if (head.request.fields.size() == limits.fields) return Error{ErrorCode::headers_too_large};
    if (Result<void> weighed = weigh(field, head, seen); !weighed) return weighed.error();
    head.request.fields.push_back(field);
  }
  return {};
}

Result<void> check_whole(const Head& head, const Seen& seen) {
  if (seen.hosts != 1) return refused("Exactly one Host field is needed.");
  if (seen.encodings > 0 && seen.lengths > 0)
    return refused("Transfer-Encoding and Content-Length exclude each other.");
  if (head.framing.chunked && !seen.is_http_11)
    return refused("HTTP/1.0 knows no Transfer-Encoding.");
  return {};
}

}  // namespace

Result<Head> read_head(std::string block, const HeadLimits& limits) {
  if (block.size() > limits.header) return Error{ErrorCode::headers_too_large};
  Head head;
  head.request.head = std::make_shared<const std::string>(std::move(block));
  std::string_view text = *head.request.head;
  const std::size_t line_end = text.find(crlf);
  if (line_end == std::string_view::npos || text.size() < line_end + 2 * crlf.size() ||
      text.substr(text.size() - 4) != "\r\n\r\n")
    return refused("The head does not end with an empty line.");
  Seen seen;
  Result<void> step = read_request_line(text.substr(0, line_end), limits, head.request, seen);
  if (!step) return step.error();
  const std::size_t begin = line_end + crlf.size();
  head.request.fields.reserve(12);
  step = read_fields(text.substr(begin, text.size() - begin - crlf.size()), limits, head, seen);
  if (!step) return step.error();
  step = check_whole(head, seen);
  if (!step) return step.error();
  if (seen.closes) head.request.keep_alive = false;
  return head;
}

std::optional<Error> too_long(std::string_view bytes, const HeadLimits& limits) {
  // Without an end of the request line in sight, a long line is a long target.
  if (bytes.size() > limits.uri + 64 && bytes.find('\n') == std::string_view::npos)
    return Error{ErrorCode::uri_too_long};
  if (bytes.size() > limits.header) return Error{ErrorCode::headers_too_large};
  return std::nullopt;
}

}  // namespace quell::http
