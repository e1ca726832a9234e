// What a handler may ask of the outside world, as values that own everything they carry. Request
// types are classes with constructors and chained setters, never aggregates: g++ 12 destroys an
// aggregate temporary twice next to `co_await`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/clock.hpp"

namespace quell {

using Headers = std::vector<std::pair<std::string, std::string>>;

class HttpRequest {
 public:
  explicit HttpRequest(std::string url) : url_(std::move(url)) {}
  HttpRequest& method(std::string value) & { return method_ = std::move(value), *this; }
  HttpRequest& header(std::string name, std::string value) & {
    return headers_.emplace_back(std::move(name), std::move(value)), *this;
  }
  HttpRequest& body(std::string value) & { return body_ = std::move(value), *this; }
  HttpRequest& timeout(Millis value) & { return timeout_ = value, *this; }
  HttpRequest& idle_timeout(Millis value) & { return idle_timeout_ = value, *this; }
  HttpRequest& redirects(int value) & { return redirects_ = value, *this; }
  HttpRequest& max_body(std::size_t value) & { return max_body_ = value, *this; }
  // Sends `Authorization: Bearer <secret>`; the host fills it in, so that the job never sees the
  // secret.
  HttpRequest& bearer_secret(std::string name) & { return secret_ = std::move(name), *this; }

  HttpRequest&& method(std::string value) && { return std::move(method(std::move(value))); }
  HttpRequest&& header(std::string name, std::string value) && {
    return std::move(header(std::move(name), std::move(value)));
  }
  HttpRequest&& body(std::string value) && { return std::move(body(std::move(value))); }
  HttpRequest&& timeout(Millis value) && { return std::move(timeout(value)); }
  HttpRequest&& idle_timeout(Millis value) && { return std::move(idle_timeout(value)); }
  HttpRequest&& redirects(int value) && { return std::move(redirects(value)); }
  HttpRequest&& max_body(std::size_t value) && { return std::move(max_body(value)); }
  HttpRequest&& bearer_secret(std::string name) && {
    return std::move(bearer_secret(std::move(name)));
  }

  const std::string& url() const { return url_; }
  const std::string& method() const { return method_; }
  const Headers& headers() const { return headers_; }
  const std::string& body() const { return body_; }
  Millis timeout() const { return timeout_; }
  Millis idle_timeout() const { return idle_timeout_; }
  int redirects() const { return redirects_; }
  std::size_t max_body() const { return max_body_; }
  const std::string& secret() const { return secret_; }

 private:
  std::string method_ = "GET", url_;
  Headers headers_;
  std::string body_, secret_;
  Millis timeout_{60'000}, idle_timeout_{60'000};
  int redirects_ = 5;
  std::size_t max_body_ = std::size_t{16} << 20;
};

// What a program may take of the machine; 0: as much as the server.
struct ExecLimits {
  std::uint64_t memory_bytes = 0, cpu_seconds = 0, open_files = 0, processes = 0;
};

class ExecRequest {
 public:
  explicit ExecRequest(std::vector<std::string> argv) : argv_(std::move(argv)) {}
  ExecRequest& env(std::string name, std::string value) & {
    return env_.emplace_back(std::move(name), std::move(value)), *this;
  }
  ExecRequest& input(std::string value) & { return input_ = std::move(value), *this; }
  ExecRequest& cwd(std::string value) & { return cwd_ = std::move(value), *this; }
  ExecRequest& timeout(Millis value) & { return timeout_ = value, *this; }
  ExecRequest& limits(ExecLimits value) & { return limits_ = value, *this; }

  const std::vector<std::string>& argv() const { return argv_; }
  const Headers& env() const { return env_; }
  const std::string& input() const { return input_; }
  const std::string& cwd() const { return cwd_; }
  Millis timeout() const { return timeout_; }
  const ExecLimits& limits() const { return limits_; }

 private:
  std::vector<std::string> argv_;
  Headers env_;
  std::string input_, cwd_;
  Millis timeout_{600'000};
  ExecLimits limits_;
};

struct SleepRequest {
  Millis duration;
};
// Blocking work on a pool of its own; it must look at its stop_token.
struct OffloadRequest {
  std::function<void(std::stop_token)> work;
};
// Remembers a step's result durably before the job goes on.
struct StepSaveRequest {
  std::string name, result;
};
// Reads what earlier attempts remembered.
struct StepLoadRequest {};

struct StreamRequest {  // body pieces arrive one by one
  HttpRequest http;
};
struct LinesRequest {  // lines of standard output arrive one by one
  ExecRequest exec;
};

using EffectRequest = std::variant<SleepRequest, HttpRequest, StreamRequest, ExecRequest,
                                   LinesRequest, OffloadRequest, StepSaveRequest, StepLoadRequest>;

class HttpReply {
 public:
  HttpReply() = default;
  HttpReply(int status, Headers headers, std::string body)
      : status_(status), headers_(std::move(headers)), body_(std::move(body)) {}
  int status() const { return status_; }
  bool ok() const { return status_ >= 200 && status_ < 300; }
  const Headers& headers() const { return headers_; }
  std::string header(const std::string& name) const;  // any case; "" when absent
  const std::string& body() const { return body_; }

 private:
  int status_ = 0;
  Headers headers_;
  std::string body_;
};

class ExecReply {
 public:
  ExecReply() = default;
  ExecReply(int code, int signal, std::string out, std::string err)
      : code_(code), signal_(signal), out_(std::move(out)), err_(std::move(err)) {}
  bool ok() const { return code_ == 0 && signal_ == 0; }
  int code() const { return code_; }
  int signal() const { return signal_; }
  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }

 private:
  int code_ = 0, signal_ = 0;
  std::string out_, err_;
};

using RememberedSteps = std::vector<std::pair<std::string, std::string>>;

// How an effect ended. A failed one becomes a JobError at the `co_await`.
struct EffectFailure {
  std::string code, detail;  // wire code of errors.def where one fits
  bool retryable = true;
};
using EffectAnswer =
    std::variant<std::monostate, HttpReply, ExecReply, RememberedSteps, EffectFailure>;

}  // namespace quell
