#include "http/client.hpp"

#include <algorithm>
#include <charconv>

#include "http/client_wire.hpp"
#include "http/message.hpp"

namespace quell::http {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

Error cut() {
  return Error{ErrorCode::server_unreachable, "The connection ended before the answer did."};
}

bool parse_head(std::string_view head, ClientReply& reply) {
  if (head.size() < 12 || head.substr(0, 5) != "HTTP/") return false;
  if (std::from_chars(head.data() + 9, head.data() + 12, reply.status).ec != std::errc{})
    return false;
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string_view line = head.substr(begin, at - begin);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    reply.headers[lower(std::string{line.substr(0, colon)})] = value;
  }
  return true;
}

}  // namespace

struct Client::Wire {
  Target target;
  std::unique_ptr<ClientWire> connection;
  std::string buffer;

  bool line(std::string& out) {
    std::size_t end = 0;
    while ((end = buffer.find("\r\n")) == std::string::npos)
      if (!connection->read(buffer)) return false;
    out = buffer.substr(0, end);
    buffer.erase(0, end + 2);
    return true;
  }
  bool take(std::size_t n, std::string& out) {
    while (buffer.size() < n)
      if (!connection->read(buffer)) return false;
    out.append(buffer, 0, n);
    buffer.erase(0, n);
    return true;
  }
  bool head(ClientReply& reply) {
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
      if (!connection->read(buffer)) return false;
    const bool good = parse_head(std::string_view{buffer}.substr(0, end), reply);
    buffer.erase(0, end + 4);
    return good;
  }
  // One chunk; "" is the last.
  bool chunk(std::string& out) {
    std::string text;
    if (!line(text)) return false;
    std::size_t size = 0;
    const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), size, 16);
    if (fault != std::errc{} || stop == text.data()) return false;
    out.clear();
    return take(size, out) && line(text);
  }
  bool body(ClientReply& reply) {
    if (reply.headers.count("transfer-encoding") > 0) {
      std::string piece;
      do {
        if (!chunk(piece)) return false;
        reply.body += piece;
      } while (!piece.empty());
      return true;
    }
    const auto length = reply.headers.find("content-length");
    if (length == reply.headers.end()) return true;
    std::size_t size = 0;
    const std::string& text = length->second;
    std::from_chars(text.data(), text.data() + text.size(), size);
    return take(size, reply.body);
  }
};

Client::Client(ClientOptions options) : options_(std::move(options)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

namespace {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

std::string request_text(const Target& target, const ClientOptions& options,
                         const std::string& method, const std::string& path,
                         const std::string& body, const HeaderList& headers) {
  std::string text = method + " " + target.prefix + path + " HTTP/1.1\r\nHost: " + target.host +
                     ":" + target.port + "\r\n";
  if (!options.token.empty()) text += "Authorization: Bearer " + options.token + "\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  if (!body.empty() || method == "POST" || method == "PATCH" || method == "PUT")
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  if (!body.empty()) text += "Content-Type: application/json\r\n";
  return text + "\r\n" + body;
}

}  // namespace

Result<ClientReply> Client::send(const std::string& method, const std::string& target,
                                 const std::string& body, const HeaderList& headers) {
  const bool fresh = !wire_ || !wire_->connection;
  if (!wire_) {
    Result<Target> read = read_url(options_.url);
    if (!read) return read.error();
    wire_ = std::make_unique<Wire>();
    wire_->target = std::move(*read);
  }
  if (fresh) {
    auto connected = ClientWire::connect(wire_->target, options_.timeout, options_.ca_file);
    if (!connected) return connected.error();
    wire_->connection = std::move(*connected);
    wire_->buffer.clear();
  }
  ClientReply reply;
  const std::string text = request_text(wire_->target, options_, method, target, body, headers);
  bool good = wire_->connection->write(text) && wire_->head(reply);
  while (good && reply.status == 100) {
    reply = {};
    good = wire_->head(reply);
  }
  if (!good && !fresh && reply.status == 0 && method != "POST") {
    // A kept connection may have been closed by its other end since; that says nothing yet. A POST
    // may have been heard all the same, so that is for the caller to decide.
    wire_->connection.reset();
    return send(method, target, body, headers);
  }
  const bool bodiless = method == "HEAD" || reply.status == 204 || reply.status == 304;
  if (!good || (!bodiless && !wire_->body(reply))) {
    wire_->connection.reset();
    return cut();
  }
  const auto closing = reply.headers.find("connection");
  if (closing != reply.headers.end() && same_text(closing->second, "close"))
    wire_->connection.reset();
  return reply;
}

Result<ClientReply> Client::follow(const std::string& target, const HeaderList& headers,
                                   const std::function<bool(std::string_view)>& on_piece) {
  Result<Target> read = read_url(options_.url);
  if (!read) return read.error();
  Wire wire;
  wire.target = std::move(*read);
  auto connected = ClientWire::connect(wire.target, options_.timeout, options_.ca_file);
  if (!connected) return connected.error();
  wire.connection = std::move(*connected);
  ClientReply reply;
  if (!wire.connection->write(request_text(wire.target, options_, "GET", target, "", headers)) ||
      !wire.head(reply))
    return cut();
  if (reply.status != 200 || reply.headers.count("transfer-encoding") == 0) {
    if (!wire.body(reply)) return cut();
    return reply;
  }
  std::string piece;
  while (wire.chunk(piece)) {
    if (piece.empty() || !on_piece(piece)) return reply;
  }
  return cut();
}

}  // namespace quell::http
