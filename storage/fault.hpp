// A store's complaint, as one of our errors. Thrown inside the folders of the SQL stores only:
// every public function of a store catches it and answers a Result.
#pragma once

#include <exception>
#include <utility>

#include "runtime/base/error.hpp"

namespace quell::storage {

class Fault : public std::exception {
 public:
  Fault(Error error, bool is_data) : error_(std::move(error)), is_data_(is_data) {}
  const char* what() const noexcept override { return error_.detail.c_str(); }
  const Error& error() const { return error_; }
  // Caused by the values of one operation (a law or a constraint said no), not by the store.
  bool is_data() const { return is_data_; }

 private:
  Error error_;
  bool is_data_;
};

}  // namespace quell::storage
