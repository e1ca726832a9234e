// The whole API server on a FakeNode, asked by function calls: no sockets, no threads.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "http/api/api_server.hpp"
#include "http/server/framing.hpp"
#include "tests/http/api/fake_node.hpp"

namespace quell::http {

class FakeLoop final : public Loop {
 public:
  void post(std::function<void()> work) override { work(); }
  void after(Millis, std::function<void()> work) override { later.push_back(std::move(work)); }
  std::deque<std::function<void()>> later;
};

class FakeSink final : public EventSink {
 public:
  void send(std::string piece) override { text += piece; }
  void close() override { open = false; }
  std::size_t unsent() const override { return pretend_unsent; }
  bool is_open() const override { return open; }
  std::string text;
  bool open = true;
  std::size_t pretend_unsent = 0;
};

class Answer final : public Responder {
 public:
  void respond(Response response) override {
    EXPECT_FALSE(given) << "answered twice";
    given = std::move(response);
  }
  std::shared_ptr<EventSink> stream(Response head) override {
    respond(std::move(head));
    return sink = std::make_shared<FakeSink>();
  }
  std::optional<Response> given;
  std::shared_ptr<FakeSink> sink;
};

struct Reply {
  int status = 0;
  nlohmann::json body;
  std::string text;
  std::map<std::string, std::string> headers;
  std::string code() const { return body.is_object() ? body.value("code", "") : ""; }
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

class ApiServerTest : public testing::Test {
 protected:
  explicit ApiServerTest(ApiSettings settings = {}) : api(node, loop, std::move(settings)) {
    const Result<std::optional<std::string>> opened = api.open();
    EXPECT_TRUE(opened.ok());
    admin = opened.value().value_or("");
  }

  std::string admin_who() const { return "token:admin#" + Token::parse(admin)->id; }

  // A token with what `scopes` says ("viewer", "jobs:read jobs:delete"), for `project` or all.
  std::string token(const std::string& scopes, const std::string& project = "") {
    const auto role = parse_role(scopes);
    const NewToken made =
        make_token("t", role ? scopes : "", *parse_scopes(scopes), project, system_clock().now());
    api.auth().put(made.record);
    return made.text;
  }

  BodyRuling ruling(const std::string& who, const std::string& method, const std::string& target) {
    std::string head = method + " " + target + " HTTP/1.1\r\nHost: test\r\n";
    if (!who.empty()) head += "Authorization: Bearer " + who + "\r\n";
    return api.body_ruling(read_head(head + "\r\n", {})->request);
  }

  std::shared_ptr<Answer> begin(const std::string& method, const std::string& target,
                                const std::string& body, const HeaderList& headers) {
    std::string head = method + " " + target + " HTTP/1.1\r\nHost: test\r\n";
    for (const auto& [name, value] : headers) head += name + ": " + value + "\r\n";
    Result<Head> read = read_head(head + "\r\n", {});
    EXPECT_TRUE(read.ok());
    read->request.body = body;
    read->request.remote = "127.0.0.1";
    auto answer = std::make_shared<Answer>();
    api.handle(std::move(read->request), answer);
    return answer;
  }

  Reply ask_as(const std::string& who, const std::string& method, const std::string& target,
               const std::string& body = "", HeaderList headers = {}) {
    if (!who.empty()) headers.emplace_back("Authorization", "Bearer " + who);
    if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
    return reply_of(*begin(method, target, body, headers));
  }

  Reply ask(const std::string& method, const std::string& target, const std::string& body = "") {
    return ask_as(admin, method, target, body);
  }

  static Reply reply_of(const Answer& answer) {
    Reply reply;
    EXPECT_TRUE(answer.given.has_value()) << "not answered";
    if (!answer.given) return reply;
    reply.status = answer.given->status;
    reply.text = answer.given->body;
    reply.body = nlohmann::json::parse(reply.text, nullptr, false);
    for (const auto& [name, value] : answer.given->headers) reply.headers[name] = value;
    reply.headers["Content-Type"] = answer.given->content_type;
    return reply;
  }

  std::string submit(const std::string& body = R"({"kind":"noop"})") {
    const Reply reply = ask("POST", "/api/v1/jobs", body);
    EXPECT_EQ(reply.status, 201) << reply.text;
    return reply.body.value("job_id", "");
  }

  FakeNode node;
  FakeLoop loop;
  ApiServer api;
  std::string admin;
};

}  // namespace quell::http
