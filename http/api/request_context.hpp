// One request on its way through the API: who asks, what for, and how to answer. Handlers hold it
// while the node works, and answer exactly once.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/api/auth.hpp"
#include "http/api/fields.hpp"
#include "http/api/problem.hpp"
#include "http/api/router.hpp"
#include "http/server/message.hpp"
#include "http/server/server.hpp"
#include "runtime/base/id.hpp"
#include "runtime/base/result.hpp"
#include "storage/reader.hpp"

namespace quell::http {

class ApiServer;

class RequestContext : public std::enable_shared_from_this<RequestContext> {
 public:
  RequestContext(ApiServer& home, Request asked, std::shared_ptr<Responder> answer_to);

  ApiServer& api;
  Request request;
  std::shared_ptr<Responder> responder;
  const Route* route = nullptr;
  std::vector<std::string> params;
  Principal principal;
  std::string request_id;
  std::vector<std::pair<std::string, std::string>> extra_headers;  // of whatever the answer is
  std::chrono::steady_clock::time_point began;

  void reply(int status, std::string json);
  void reply(Response response);
  void fail(const Problem& problem);
  std::shared_ptr<EventSink> stream(Response head);

  // False, and the call is answered, when the query has another name than these.
  bool allow_only(std::initializer_list<std::string_view> names);
  std::optional<std::string> query(std::string_view name) const;
  // The whole number of `name`, or `fallback`. Nothing, and the call is answered, when it is wrong.
  std::optional<std::int64_t> number(std::string_view name, std::int64_t fallback, std::int64_t low,
                                     std::int64_t high);
  std::optional<bool> boolean(std::string_view name);  // like number(); absent is false
  // `wait` in seconds, as whoever waits for the end of what they begin says it; RFC 7240's
  // `Prefer: wait=5` in its place where `or_header`. Unsaid it stays. False, and answered, when it
  // is wrong.
  bool read_wait(Millis& wait, bool or_header = false);
  bool read_reason(std::string& reason);  // likewise
  // Parameter `at` as an id; answered with `not_here` when it is none.
  std::optional<Uuid> id(std::size_t at, ErrorCode not_here);

  // The body as an object; nothing, and the call is answered, when it is none. An absent body is
  // {}.
  std::optional<JsonValue> body();
  bool has_empty_body();  // absent, or {}; else false, and answered
  bool expects_json();    // false, and answered 415, when a body is not said to be JSON
  // False, and answered, for a token of one project: what all projects share is not its to touch.
  bool is_of_all_projects(std::string_view what);
  bool has(Scope scope) const { return principal.scopes.has(scope); }
  // The project that a new thing belongs to, or nothing when the token may not use `asked`.
  std::optional<std::string> project_for(const std::string& asked) const;

  void read(std::function<void(storage::Reader&)> work);
  void post(std::function<void()> work);  // on the server's loop

  // An answer of the node, brought back to the loop.
  template <class T>
  std::function<void(Result<T>)> on_loop(std::function<void(Result<T>)> then) {
    return [self = shared_from_this(), next = std::move(then)](Result<T> outcome) {
      self->post([next, result = std::move(outcome)]() mutable { next(std::move(result)); });
    };
  }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
  bool query_is_broken_ = false;
};

}  // namespace quell::http
