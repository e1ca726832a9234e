// JSON as the door writes it: what is no UTF-8 is replaced, never thrown at.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace quell::http::celery {

using Json = nlohmann::json;

inline std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace quell::http::celery
