// Async<T>: a lazily started coroutine that one other coroutine awaits. Destroying it destroys the
// whole chain beneath, destructors and all: that is how a job is stopped in mid air.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "runtime/base/assert.hpp"

namespace quell {

template <class T>
class [[nodiscard]] Async;

namespace detail {

struct AsyncPromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr failure;

  struct Final {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      return self.promise().continuation;
    }
    void await_resume() noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { failure = std::current_exception(); }
};

template <class T>
struct AsyncPromise : AsyncPromiseBase {
  std::optional<T> value;
  Async<T> get_return_object();
  void return_value(T result) { value.emplace(std::move(result)); }
  T take() {
    if (failure) std::rethrow_exception(failure);
    return std::move(*value);
  }
};

template <>
struct AsyncPromise<void> : AsyncPromiseBase {
  Async<void> get_return_object();
  void return_void() {}
  void take() {
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Async {
 public:
  using promise_type = detail::AsyncPromise<T>;
  using value_type = T;

  Async() = default;
  explicit Async(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  Async(Async&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  Async& operator=(Async&& other) noexcept {
    if (this != &other) {
      reset();
      frame_ = std::exchange(other.frame_, {});
    }
    return *this;
  }
  ~Async() { reset(); }

  void reset() {
    if (frame_) std::exchange(frame_, {}).destroy();
  }

  // Awaited by another coroutine. It runs as a plain call up to where it first waits: one that
  // never waits comes back like a function, so that a loop over such calls takes no stack, also
  // where the compiler makes a call of each transfer (g++ at -O0).
  bool await_ready() {
    frame_.resume();
    return frame_.done();
  }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    frame_.promise().continuation = waiter;
  }
  T await_resume() { return frame_.promise().take(); }

  // Driven from outside, by the one who owns the outermost frame.
  bool valid() const { return static_cast<bool>(frame_); }
  bool done() const { return frame_ && frame_.done(); }
  void start() {
    QUELL_ASSERT(frame_ && !frame_.done());
    frame_.resume();
  }
  T take() { return frame_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> frame_;
};

template <class T>
Async<T> detail::AsyncPromise<T>::get_return_object() {
  return Async<T>(std::coroutine_handle<AsyncPromise>::from_promise(*this));
}
inline Async<void> detail::AsyncPromise<void>::get_return_object() {
  return Async<void>(std::coroutine_handle<AsyncPromise>::from_promise(*this));
}

}  // namespace quell
