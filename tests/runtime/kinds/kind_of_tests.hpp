// What the tests of the standard kinds share: the kind by its name, its check, and how it ended.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runtime/task/test_job.hpp"

namespace quell::test {

inline Kind standard(const std::string& name) {
  Registry registry;
  add_standard_kinds(registry);
  const Kind* kind = registry.find(name);
  EXPECT_NE(kind, nullptr) << name;
  return *kind;
}

// "" when the args are taken, else the sentence.
inline std::string objection(const std::string& kind, const std::string& args) {
  const Result<void> checked = standard(kind).check(args);
  return checked ? std::string() : checked.error().detail;
}

inline nlohmann::json result_json(TestJob& job) {
  return nlohmann::json::parse(job.result());
}

inline JobError thrown_by(TestJob& job) {
  try {
    job.result();
  } catch (const JobError& error) {
    return error;
  }
  ADD_FAILURE() << "the job succeeded";
  return JobError("", "");
}

}  // namespace quell::test
