#include "actors/effects/resolver.hpp"

#include <gtest/gtest.h>

#include "tests/actors/effects/outbound_fixture.hpp"

namespace quell {
namespace {

using namespace test;
using Answer = Result<std::vector<IpAddress>>;

// Asks on the loop's thread, as the client does, and waits for what comes.
std::future<Answer> ask(Loop& loop, Resolver& resolver, const std::string& host) {
  auto promise = std::make_shared<std::promise<Answer>>();
  asio::post(loop.io, [&resolver, host, promise] {
    resolver.resolve(host, [promise](Answer answer) { promise->set_value(std::move(answer)); });
  });
  return promise->get_future();
}

TEST(Resolver, AsksTheNameServerOnceForAllWhoAskTogether) {
  NameServer names({"good.test"});
  Loop loop;
  const auto resolver = make_dns_resolver(loop.io, names.settings());
  std::vector<std::future<Answer>> answers;
  std::promise<void> done;
  asio::post(loop.io, [&] {
    for (int i = 0; i < 50; ++i) {
      auto promise = std::make_shared<std::promise<Answer>>();
      answers.push_back(promise->get_future());
      resolver->resolve("good.test",
                        [promise](Answer answer) { promise->set_value(std::move(answer)); });
    }
    done.set_value();
  });
  done.get_future().wait();
  for (auto& future : answers) {
    ASSERT_EQ(future.wait_for(patience), std::future_status::ready);
    const Answer answer = future.get();
    ASSERT_TRUE(answer.ok());
    ASSERT_EQ(answer->size(), 1u);
    EXPECT_EQ(answer->front().text(), "127.0.0.1");
  }
  EXPECT_EQ(names.asked_a(), 1);
}

TEST(Resolver, ReadsTheHostsFileFirst) {
  NameServer names({});
  Loop loop;
  const auto resolver = make_dns_resolver(loop.io, names.settings());
  auto future = ask(loop, *resolver, "localhost");
  ASSERT_EQ(future.wait_for(patience), std::future_status::ready);
  const Answer answer = future.get();
  ASSERT_TRUE(answer.ok());
  EXPECT_FALSE(AddressFilter().allows(answer->front()));
}

TEST(Resolver, SaysWhyANameHasNoAddress) {
  NameServer names({});
  Loop loop;
  DnsSettings settings = names.settings();
  settings.timeout = 20ms;
  settings.tries = 1;
  const auto resolver = make_dns_resolver(loop.io, settings);
  auto future = ask(loop, *resolver, "dead.test");
  ASSERT_EQ(future.wait_for(patience), std::future_status::ready);
  const Answer answer = future.get();
  ASSERT_FALSE(answer.ok());
  EXPECT_NE(answer.error().detail.find("'dead.test'"), std::string::npos);
}

TEST(Resolver, ACancelledQuestionIsNeverAnsweredAndTheNeighbourIs) {
  NameServer names({"good.test"});
  Loop loop;
  const auto resolver = make_dns_resolver(loop.io, names.settings());
  std::atomic<int> wrong{0};
  std::promise<Answer> right;
  asio::post(loop.io, [&] {
    const auto first = resolver->resolve("good.test", [&](Answer) { ++wrong; });
    resolver->resolve("good.test", [&](Answer answer) { right.set_value(std::move(answer)); });
    resolver->cancel(first);
    const auto dead = resolver->resolve("dead.test", [&](Answer) { ++wrong; });
    resolver->cancel(dead);
    resolver->cancel(dead);
  });
  EXPECT_TRUE(right.get_future().get().ok());
  loop.settle();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace quell
