// Result<T>: a value, or one of the world's faults. Nothing throws across a layer.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "runtime/base/assert.hpp"
#include "runtime/base/error.hpp"

namespace quell {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : outcome_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: a value is a result
  Result(Error error)
      : outcome_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: so is a fault
  bool ok() const { return outcome_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return checked(), std::get<0>(outcome_); }
  const T& value() const& { return checked(), std::get<0>(outcome_); }
  T&& value() && { return checked(), std::get<0>(std::move(outcome_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const {
    QUELL_ASSERT(!ok());
    return std::get<1>(outcome_);
  }

 private:
  void checked() const { QUELL_ASSERT(ok()); }
  std::variant<T, Error> outcome_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: a fault is a result
  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    QUELL_ASSERT(error_.has_value());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace quell
