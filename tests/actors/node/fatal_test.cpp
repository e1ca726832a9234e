// Nobody dies in silence: whatever keeps a node going and throws is named, once, and the node is
// over. tests/blackbox/fatal_test.py shows the same of the program, with its exit code.
#include "actors/fatal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <caf/all.hpp>
#include <future>
#include <stdexcept>

#include "actors/effects/io_thread.hpp"
#include "actors/effects/offload_pool.hpp"
#include "actors/node/reader_pool.hpp"
#include "actors/writes/hint_listener.hpp"
#include "tests/actors/stage/stage.hpp"

namespace quell {
namespace {

using testing::HasSubstr;

// ---- control actors, on the stage ----
class FallOfAnActor : public testing::TestWithParam<ControlPlace> {
 protected:
  ~FallOfAnActor() override { EXPECT_TRUE(arm_failpoints("").ok()); }
};

TEST_P(FallOfAnActor, IsToldOnceWithItsNameAndTheMessageItWasAt) {
  const std::string name = name_of(GetParam());
  ASSERT_TRUE(arm_failpoints("control." + name + "=throw@1").ok());
  Stage stage({{"default", 2}}, 2);  // so the Clerk has others write for it
  const JobId job =
      stage.submit("one", [&](NewJob& one) { one.run_at = stage.clock.now() + Millis{3'600'000}; });
  stage.run();
  stage.erase({job});
  // The rarest of them looks once in five minutes.
  for (int i = 0; i < 640 && stage.life().fallen.empty(); ++i) {
    stage.run();
    stage.turn(Millis{500});
  }
  ASSERT_EQ(stage.life().fallen.size(), 1u);
  const FatalFault& fault = stage.life().fallen.front();
  EXPECT_EQ(fault.place, name);
  EXPECT_EQ(fault.what, "failpoint control." + name);
  EXPECT_THAT(fault.at, testing::MatchesRegex("[A-Z][A-Za-z]+")) << "the message's type";
}

INSTANTIATE_TEST_SUITE_P(Each, FallOfAnActor,
                         testing::Values(ControlPlace::clerk, ControlPlace::write_worker,
                                         ControlPlace::foreman, ControlPlace::deleter,
                                         ControlPlace::janitor, ControlPlace::operations,
                                         ControlPlace::courier, ControlPlace::sealer,
                                         ControlPlace::sweeper, ControlPlace::sentinel,
                                         ControlPlace::registrar),
                         [](const auto& place) { return std::string(name_of(place.param)); });

TEST(ControlActor, ThatEndsWithoutAThrowHasFallenToo) {
  Stage stage;
  stage.run();
  caf::anon_send_exit(stage.context().janitor, caf::exit_reason::out_of_workers);
  stage.run();
  ASSERT_EQ(stage.life().fallen.size(), 1u);
  EXPECT_EQ(stage.life().fallen.front().place, "janitor");
  EXPECT_THAT(stage.life().fallen.front().what, HasSubstr("nobody had dismissed it"));
}

TEST(ControlActor, ThatIsDismissedHasNotFallen) {
  auto stage = std::make_unique<Stage>();
  stage->run();
  auto fatal = stage->context().fatal;
  stage.reset();
  EXPECT_FALSE(fatal->first().has_value());
}

// ---- threads ----
// What fell, as whoever decides about the process hears of it.
struct Heard {
  std::promise<FatalFault> promise;
  std::shared_ptr<FatalHandler> fatal =
      std::make_shared<FatalHandler>([this](const FatalFault& fault) { promise.set_value(fault); });

  void expect(const std::string& place) {
    const FatalFault fault = promise.get_future().get();
    EXPECT_EQ(sentence_of(fault),
              "a fault of quell's own has ended this node: " + place + ": as asked");
  }
};

[[noreturn]] void throw_as_asked() {
  throw std::runtime_error("as asked");
}

TEST(FallOfAThread, OfTheReadersIsToldAndTheNextReadIsMade) {
  storage::OpenOptions options;
  options.unsafe = true;
  const auto store = storage::open_store("memory:", options).value();
  Heard heard;
  const auto readers = ReaderPool::open(*store, 1, heard.fatal).value();
  std::promise<void> next;
  readers->run([](storage::Reader&) { throw_as_asked(); });
  readers->run([&](storage::Reader&) { next.set_value(); });
  heard.expect("reader");
  next.get_future().wait();
}

TEST(FallOfAThread, OfTheTimersIsToldAndTheNextOneFires) {
  Heard heard;
  ThreadTimers timers(heard.fatal);
  std::promise<void> next;
  timers.after(Millis{0}, [] { throw_as_asked(); });
  timers.after(Millis{1}, [&] { next.set_value(); });
  heard.expect("timers");
  next.get_future().wait();
}

TEST(FallOfAThread, OfTheSocketsIsToldAndTheNextEventIsHandled) {
  Heard heard;
  IoThread io(heard.fatal);
  std::promise<void> next;
  boost::asio::post(io.context(), [] { throw_as_asked(); });
  boost::asio::post(io.context(), [&] { next.set_value(); });
  heard.expect("sockets");
  next.get_future().wait();
}

TEST(FallOfAThread, OfBlockingWorkIsToldWhenItIsNotTheWorkThatThrew) {
  Heard heard;
  OffloadPool pool(1, heard.fatal);
  std::promise<std::string> failure;
  pool.start([](std::stop_token) { throw_as_asked(); },
             [&](bool, std::string why) { failure.set_value(std::move(why)); });
  EXPECT_EQ(failure.get_future().get(), "as asked") << "which is the job's failure";
  EXPECT_FALSE(heard.fatal->first().has_value());
  pool.start([](std::stop_token) {}, [](bool, std::string) { throw_as_asked(); });
  heard.expect("offload");
}

TEST(FallOfAThread, OfTheHintsIsToldAndItListensOn) {
  struct OneHint final : storage::Hints {
    Result<std::vector<std::string>> wait(Millis) override {
      return std::vector<std::string>{"hint"};
    }
  };
  Heard heard;
  std::promise<void> next;
  int hints = 0;
  const HintListener listener(
      std::make_unique<OneHint>(),
      [&](const std::vector<std::string>&) {
        if (++hints == 1) throw_as_asked();
        if (hints == 2) next.set_value();
      },
      heard.fatal);
  heard.expect("hints");
  next.get_future().wait();
}

// ---- a node that a program embeds ----
TEST(FallOfANode, IsLoggedAndLeavesTheDecisionToTheProgram) {
  ASSERT_TRUE(arm_failpoints("control.sealer=throw@3").ok());
  std::promise<FatalFault> fell;
  std::vector<std::string> errors;
  NodeSettings settings;
  settings.unsafe = true;
  settings.on_fatal = [&](const FatalFault& fault) { fell.set_value(fault); };
  settings.log = [&](LogLevel level, const std::string& text, const std::string& fields) {
    if (level == LogLevel::error) errors.push_back(text + " {" + fields + "}");
  };
  auto node = start_node(settings, Registry{}, nullptr).value();
  EXPECT_EQ(fell.get_future().get().place, "sealer");
  EXPECT_TRUE(arm_failpoints("").ok());
  ASSERT_EQ(errors.size(), 1u) << "and said before the program is asked";
  EXPECT_THAT(errors.front(), HasSubstr("a fault of quell's own has ended this node: sealer, at "));
  EXPECT_THAT(errors.front(), HasSubstr("{\"place\":\"sealer\",\"at\":\""));
  const Health health = node->health();
  EXPECT_FALSE(health.ready);
  EXPECT_THAT(health.checks, testing::Contains(testing::Pair("node", HasSubstr("sealer"))));
  EXPECT_TRUE(node->stop(Millis{10'000})) << "it can still be taken down";
}

TEST(FallOfANodeDeathTest, EndsTheProcessWhereNobodyDecides) {
  EXPECT_EXIT(
      {
        static_cast<void>(arm_failpoints("control.clerk=throw@1"));
        NodeSettings settings;
        settings.unsafe = true;
        settings.log = [](LogLevel, const std::string& text, const std::string&) {
          std::fprintf(stderr, "%s\n", text.c_str());
        };
        const auto node = start_node(settings, Registry{}, nullptr);
        std::promise<void>().get_future().wait();
      },
      testing::ExitedWithCode(own_fault_exit), "ended this node: clerk, at ");
}

}  // namespace
}  // namespace quell
