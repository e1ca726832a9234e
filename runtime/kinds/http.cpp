#include <array>
#include <nlohmann/json.hpp>

#include "runtime/base/base64.hpp"
#include "runtime/base/bounded_json.hpp"
#include "runtime/base/utf8.hpp"
#include "runtime/kinds/arguments.hpp"
#include "runtime/kinds/standard.hpp"
#include "runtime/kinds/text.hpp"
#include "runtime/policy/retry_after.hpp"

namespace quell {

namespace {

constexpr Millis http_timeout{60'000}, http_timeout_max{std::chrono::hours{24}};
constexpr std::int64_t body_default = std::int64_t{1} << 20, body_max = std::int64_t{16} << 20;
constexpr int redirects_default = 5, redirects_max = 20;

bool has_header(const Headers& headers, const std::string& name) {
  return !HttpReply(0, headers, "x").header(name).empty();
}

// `true` and absent mean the default number of hops, `false` none.
int redirects_of(Arguments& in) {
  const auto* value = in.value("follow_redirects");
  if (value == nullptr) return redirects_default;
  if (value->is_boolean()) return value->get<bool>() ? redirects_default : 0;
  return static_cast<int>(in.integer("follow_redirects", redirects_default, 0, redirects_max));
}

Result<HttpRequest> http_request(const std::string& args) {
  Arguments in("http", args);
  HttpRequest request(in.needed_text("url"));
  if (!request.url().empty() && !request.url().starts_with("http://") &&
      !request.url().starts_with("https://"))
    in.wrong("args.url must begin with http:// or https://");
  Headers headers = in.text_pairs("headers");
  const auto* body = in.value("body");
  request.method(in.text("method", body == nullptr ? "GET" : "POST"));
  if (request.method().empty()) in.wrong("args.method must not be empty");
  if (body != nullptr && body->is_string()) {
    request.body(body->get<std::string>());
  } else if (body != nullptr) {
    request.body(body->dump());
    if (!has_header(headers, "Content-Type"))
      headers.emplace_back("Content-Type", "application/json");
  }
  for (auto& [name, value] : headers) request.header(name, std::move(value));
  const Millis timeout = in.seconds("timeout_s", http_timeout, http_timeout_max);
  request.timeout(timeout).idle_timeout(in.seconds("idle_timeout_s", timeout, http_timeout_max));
  request.redirects(redirects_of(in));
  request.max_body(
      static_cast<std::size_t>(in.integer("max_body_bytes", body_default, 1, body_max)));
  request.bearer_secret(in.text("secret", {}));
  if (!request.secret().empty() && has_header(request.headers(), "Authorization"))
    in.wrong("args.secret and args.headers.Authorization say the same thing: give one of them");
  if (auto fine = in.verdict(); !fine) return fine.error();
  return request;
}

nlohmann::json shown_headers(const Headers& headers) {
  nlohmann::json shown = nlohmann::json::object();
  for (const auto& [name, value] : headers) {
    std::string& all = shown.emplace(lower_case(name), "").first->get_ref<std::string&>();
    all += (all.empty() ? "" : ", ") + as_utf8(value);
  }
  return shown;
}

std::string result_of(const HttpReply& reply) {
  nlohmann::json result{{"status", reply.status()}, {"headers", shown_headers(reply.headers())}};
  const bool text = is_utf8(reply.body());
  result["body"] = text ? reply.body() : base64(reply.body());
  result["encoding"] = text ? "utf-8" : "base64";
  if (text && reply.header("Content-Type").find("json") != std::string::npos) {
    auto json = json_from_outside(reply.body());
    if (!json.is_discarded()) result["json"] = std::move(json);
  }
  return result.dump();
}

Task http(JobContext job) {
  Result<HttpRequest> read = http_request(job.args_text());
  if (!read) throw JobError("invalid-field", read.error().detail, false);
  HttpRequest request = std::move(read).value();
  const std::string url = request.url();
  const bool follows = request.redirects() > 0;
  HttpReply reply = co_await job.http(std::move(request));
  const bool asked_for = !follows && reply.status() >= 300 && reply.status() < 400;
  if (!reply.ok() && !asked_for)
    throw unwelcome_reply(url, reply, as_utf8(reply.body()), system_clock().now());
  co_return result_of(reply);
}

}  // namespace

Kind http_kind() {
  Kind kind;
  kind.run = http;
  kind.sentence = "Makes one HTTP request; its result is the reply's status, headers and body.";
  kind.check = [](const std::string& args) -> Result<void> {
    auto request = http_request(args);
    if (!request) return request.error();
    return {};
  };
  return kind;
}

}  // namespace quell
