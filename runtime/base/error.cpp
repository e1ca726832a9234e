#include "runtime/base/error.hpp"

#include <array>
#include <cstddef>

namespace quell {

namespace {
constexpr std::array infos{
#define QUELL_ERROR(name, wire, status, exit, retryable, sentence) \
  ErrorInfo{wire, status, exit, retryable, sentence},
#include "runtime/spec/errors.def"
#undef QUELL_ERROR
};
}  // namespace

const ErrorInfo& info(ErrorCode code) {
  return infos.at(static_cast<std::size_t>(code));
}

std::string to_string(const Error& error) {
  const ErrorInfo& row = info(error.code);
  std::string text{row.wire};
  text.append(": ").append(row.sentence);
  if (!error.detail.empty()) text.append(" (").append(error.detail).append(")");
  return text;
}

}  // namespace quell
