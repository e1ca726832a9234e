// Tells systemd how the service is (sd_notify's datagram; nothing when nobody listens).
#pragma once

#include <string>

namespace quell::cli {

void tell_service(const std::string& state);

}  // namespace quell::cli
