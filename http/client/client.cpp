#include "http/client/client.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <limits>
#include <optional>

#include "http/client/client_connection.hpp"

namespace quell::http {

namespace beast = boost::beast;

namespace {

using Fault = ClientConnection::Fault;
using Request = beast::http::request<beast::http::string_body>;
using HeaderList = std::vector<std::pair<std::string, std::string>>;

constexpr std::uint32_t head_max = 64 * 1024;
constexpr std::size_t piece_max = 64 * 1024;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

Error cut() {
  return Error{ErrorCode::server_unreachable, "The connection ended before the answer did."};
}

bool has_body(const std::string& method) {
  return method == "POST" || method == "PATCH" || method == "PUT";
}

Request request_for(const ServerUrl& server, const ClientOptions& options,
                    const std::string& method, const std::string& path, const std::string& body,
                    const HeaderList& headers) {
  Request request;
  request.version(11);
  request.method_string(method);
  request.target(server.prefix + path);
  request.set("Host", server.host + ":" + server.port);
  if (!options.token.empty()) request.set("Authorization", "Bearer " + options.token);
  for (const auto& [name, value] : headers) request.insert(name, value);
  if (!body.empty() || has_body(method)) request.content_length(body.size());
  if (!body.empty()) request.set("Content-Type", "application/json");
  request.body() = body;
  return request;
}

template <class Head>
void take_head(const Head& head, ClientReply& reply) {
  reply.status = static_cast<int>(head.result_int());
  for (const auto& field : head)
    reply.headers[lower(std::string{field.name_string()})] = std::string{field.value()};
}

Fault write(ClientConnection& connection, Request& request) {
  return connection.run([&](auto& stream, auto&, auto done) {
    beast::http::async_write(stream, request, std::move(done));
  });
}

template <class Body>
using Reply = std::optional<beast::http::response_parser<Body>>;

// Up to the head of the answer, past those that only say that it comes (100).
template <class Body>
Fault read_head(ClientConnection& connection, bool is_bodiless, Reply<Body>& parser) {
  Fault fault;
  do {
    parser.emplace();
    parser->header_limit(head_max);
    parser->body_limit(std::numeric_limits<std::uint64_t>::max());
    parser->skip(is_bodiless);
    fault = connection.run([&](auto& stream, auto& buffer, auto done) {
      beast::http::async_read_header(stream, buffer, *parser, std::move(done));
    });
  } while (!fault && parser->get().result() == beast::http::status::continue_);
  return fault;
}

// Each piece of the body as it comes, to its end or until nobody wants more.
Fault read_pieces(ClientConnection& connection, Reply<beast::http::buffer_body>& parser,
                  const std::function<bool(std::string_view)>& on_piece) {
  std::array<char, piece_max> piece;
  while (!parser->is_done()) {
    auto& body = parser->get().body();
    body.data = piece.data();
    body.size = piece.size();
    Fault fault = connection.run([&](auto& stream, auto& buffer, auto done) {
      beast::http::async_read_some(stream, buffer, *parser, std::move(done));
    });
    if (fault == beast::http::error::need_buffer) fault = {};
    const std::size_t came = piece.size() - body.size;
    if (came > 0 && !on_piece({piece.data(), came})) return {};
    if (fault) return fault;
  }
  return {};
}

}  // namespace

struct Client::Wire {
  ServerUrl server;
  std::unique_ptr<ClientConnection> connection;
};

Client::Client(ClientOptions options) : options_(std::move(options)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

// Whether the connection is a new one.
Result<bool> Client::connect() {
  if (wire_ && wire_->connection) return false;
  Result<ServerUrl> server = read_url(options_.url);
  if (!server) return server.error();
  auto opened = ClientConnection::open(*server, options_.timeout, options_.ca_file);
  if (!opened) return opened.error();
  wire_ = std::make_unique<Wire>();
  wire_->server = std::move(*server);
  wire_->connection = std::move(*opened);
  return true;
}

Result<ClientReply> Client::send(const std::string& method, const std::string& target,
                                 const std::string& body, const HeaderList& headers) {
  const Result<bool> is_fresh = connect();
  if (!is_fresh) return is_fresh.error();
  ClientConnection& connection = *wire_->connection;
  Request request = request_for(wire_->server, options_, method, target, body, headers);
  Reply<beast::http::string_body> parser;
  Fault fault = write(connection, request);
  // Also after a write that failed: a server may have refused the head and closed on the body.
  const Fault unread = read_head(connection, method == "HEAD", parser);
  if (unread) {
    wire_->connection.reset();
    // A kept connection may have been closed by its other end since; that says nothing yet. A POST
    // may have been heard all the same, so that is for the caller to decide.
    if (!*is_fresh && method != "POST" && !parser->got_some())
      return send(method, target, body, headers);
    return cut();
  }
  const Fault unfinished = connection.run([&](auto& stream, auto& buffer, auto done) {
    beast::http::async_read(stream, buffer, *parser, std::move(done));
  });
  ClientReply reply;
  take_head(parser->get(), reply);
  reply.body = std::move(parser->get().body());
  if (unfinished || fault || !parser->keep_alive()) wire_->connection.reset();
  if (unfinished) return cut();
  return reply;
}

Result<ClientReply> Client::follow(const std::string& target, const HeaderList& headers,
                                   const std::function<bool(std::string_view)>& on_piece) {
  Client own(options_);  // a stream has its connection for itself
  if (const Result<bool> opened = own.connect(); !opened) return opened.error();
  ClientConnection& connection = *own.wire_->connection;
  Request request = request_for(own.wire_->server, options_, "GET", target, "", headers);
  Reply<beast::http::buffer_body> parser;
  if (write(connection, request) || read_head(connection, false, parser)) return cut();
  ClientReply reply;
  take_head(parser->get(), reply);
  const bool is_stream = reply.status == 200 && parser->chunked();
  const auto keep = [&reply](std::string_view piece) {
    reply.body += piece;
    return true;
  };
  const Fault fault =
      is_stream ? read_pieces(connection, parser, on_piece) : read_pieces(connection, parser, keep);
  if (fault) return cut();
  return reply;
}

}  // namespace quell::http
