// The closed list of the world's faults (spec/errors.def) as values. Our own faults are assertions,
// see assert.hpp.
#pragma once

#include <string>
#include <string_view>

namespace quell {

enum class ErrorCode : unsigned char {
#define QUELL_ERROR(name, wire, status, exit, retryable, sentence) name,
#include "runtime/spec/errors.def"
#undef QUELL_ERROR
};

struct ErrorInfo {
  std::string_view wire;  // the `code` of a problem reply
  int http_status;
  int exit_code;
  bool retryable;
  std::string_view sentence;  // what a person does next
};

const ErrorInfo& info(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string detail = {};  // this occurrence, in one sentence
};

// "job-not-found: No job with this id … (detail)"
std::string to_string(const Error& error);

}  // namespace quell
