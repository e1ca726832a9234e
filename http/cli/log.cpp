#include "http/cli/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "http/api/views/json_writer.hpp"
#include "runtime/base/clock.hpp"

namespace quell::cli {

namespace {

bool json_lines = false;
std::shared_ptr<spdlog::logger> logger;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view name_of(LogLevel level) {
  static constexpr std::string_view names[] = {"debug", "info", "warning", "error"};
  return names[static_cast<std::size_t>(level)];
}

}  // namespace

void open_log(const std::string& level, bool as_json) {
  json_lines = as_json;
  logger =
      std::make_shared<spdlog::logger>("quell", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
}

// Text may come from anywhere; quoting it keeps a line one line, and a terminal sane.
void log_line(LogLevel level, const std::string& text, const std::string& fields) {
  if (!logger || !logger->should_log(level_of(level))) return;
  std::string line;
  const std::string now = http::time_text(system_clock().now());
  if (json_lines) {
    line = "{\"time\":" + http::json_string(now) + ",\"level\":\"" + std::string{name_of(level)} +
           "\",\"text\":" + http::json_string(text) + (fields.empty() ? "" : "," + fields) + "}";
  } else {
    const std::string quoted = http::json_string(text);
    line = now + " " + std::string{name_of(level)} + " " + quoted.substr(1, quoted.size() - 2);
    if (!fields.empty()) line += " {" + fields + "}";
  }
  logger->log(level_of(level), spdlog::string_view_t{line.data(), line.size()});
}

void flush_log() {
  if (logger) logger->flush();
}

}  // namespace quell::cli
