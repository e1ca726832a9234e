// A refused request as RFC 9457 tells it: one closed list of codes (runtime/spec/errors.def), and
// for a body the place of each fault, so that a program reacts to fields and never to sentences.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "http/server/message.hpp"
#include "runtime/base/error.hpp"

namespace quell::http {

struct FieldFault {
  std::string pointer;  // JSON Pointer into the body
  ErrorCode code = ErrorCode::invalid_field;
  std::string detail;
};

struct Problem {
  ErrorCode code = ErrorCode::internal;
  std::string detail = {};
  std::vector<FieldFault> faults = {};
  std::vector<std::pair<std::string, std::string>> members = {};  // further ones, value as JSON
  std::vector<std::pair<std::string, std::string>> headers = {};

  Problem(ErrorCode what, std::string say = {}) : code(what), detail(std::move(say)) {}  // NOLINT
  Problem(const Error& error) : code(error.code), detail(error.detail) {}                // NOLINT
  Problem& member(std::string name, std::string json) {
    return members.emplace_back(std::move(name), std::move(json)), *this;
  }
};

// The object alone, as it also stands inside an outcome.
std::string problem_json(const Problem& problem, std::string_view instance = {},
                         std::string_view request_id = {});

Response problem_response(const Problem& problem, std::string_view instance = {},
                          std::string_view request_id = {});

}  // namespace quell::http
