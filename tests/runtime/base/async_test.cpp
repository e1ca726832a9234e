#include <gtest/gtest.h>

#include "runtime/base/async.hpp"

namespace quell {
namespace {

Async<int> ready_one() {
  co_return 1;
}

Async<int> sum_of(int calls) {
  int sum = 0;
  for (int i = 0; i < calls; ++i) sum += co_await ready_one();
  co_return sum;
}

// A compiler that does not optimise turns each transfer between coroutines into a call of its own.
TEST(Async, AMillionCallsThatNeverWaitTakeNoStack) {
  Async<int> sum = sum_of(1'000'000);
  sum.start();
  ASSERT_TRUE(sum.done());
  EXPECT_EQ(sum.take(), 1'000'000);
}

struct Suspended {
  std::coroutine_handle<>* where;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { *where = waiter; }
  void await_resume() const noexcept {}
};

Async<int> waits_at(std::coroutine_handle<>* where) {
  Suspended suspended{where};
  co_await suspended;
  co_return 2;
}

Async<int> one_more_than(std::coroutine_handle<>* where) {
  const int waited = co_await waits_at(where);
  co_return waited + 1;
}

TEST(Async, ACallThatWaitsGoesOnInItsCallerWhenItIsWoken) {
  std::coroutine_handle<> where;
  Async<int> outer = one_more_than(&where);
  outer.start();
  EXPECT_FALSE(outer.done());
  where.resume();
  ASSERT_TRUE(outer.done());
  EXPECT_EQ(outer.take(), 3);
}

Async<int> throws() {
  throw 7;
  co_return 0;
}

Async<int> catches() {
  try {
    co_return co_await throws();
  } catch (int thrown) {
    co_return thrown;
  }
}

TEST(Async, WhatACallThrowsIsThrownWhereItIsAwaited) {
  Async<int> caught = catches();
  caught.start();
  EXPECT_EQ(caught.take(), 7);
}

}  // namespace
}  // namespace quell
