// Kinds whose args are a struct of yours: read once, checked at submit, named in the refusal.
//
//   struct Greet { std::string name; int times = 1; };
//   NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Greet, name, times)
//   Task greet(JobContext job, Greet args) { … }
//   registry.add<Greet>("greet", greet);
#pragma once

#include <nlohmann/json.hpp>

#include "runtime/task/task.hpp"

namespace quell {

namespace detail {

// Tries to read args as the struct; the sentence of what is wrong, or nothing.
using ArgsReader = std::function<std::optional<std::string>(const nlohmann::json&)>;

// Reads the text with `read`, and names the field that it stumbles over.
Result<nlohmann::json> checked_args(const std::string& text, const ArgsReader& read);

template <class Args>
std::optional<std::string> why_not(const nlohmann::json& json) {
  try {
    static_cast<void>(json.get<Args>());
    return std::nullopt;
  } catch (const std::exception& error) {
    return error.what();
  }
}

template <class Args>
Task run_typed(JobContext job, std::function<Task(JobContext, Args)> run) {
  Result<nlohmann::json> json = checked_args(job.args_text(), why_not<Args>);
  if (!json) throw JobError("invalid-field", json.error().detail, false);
  Task body = run(job, json->get<Args>());
  std::string result = co_await body;
  co_return result;
}

}  // namespace detail

// `kind` brings what else is to be said of it; its handler and check are set here. A check of its
// own runs after the args have been read.
template <class Args>
Registry& Registry::add(std::string name,
                        std::type_identity_t<std::function<Task(JobContext, Args)>> run,
                        Kind kind) {
  kind.run = [run = std::move(run)](JobContext job) { return detail::run_typed<Args>(job, run); };
  kind.check = [own = std::move(kind.check)](const std::string& text) -> Result<void> {
    auto json = detail::checked_args(text, detail::why_not<Args>);
    if (!json) return json.error();
    return own ? own(text) : Result<void>();
  };
  return add(std::move(name), std::move(kind));
}

}  // namespace quell
