// Jobs and their parts as JSON, the way API clients see them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "actors/node/node.hpp"
#include "storage/reader.hpp"

namespace quell::http {

// Which pool a queue feeds, for the job's view.
using PoolOfQueue = std::map<std::string, std::string>;

struct JobDetail {
  const storage::TicketView* ticket = nullptr;  // of a job that is leaving
  const std::vector<std::pair<std::int64_t, std::string>>* partials = nullptr;
};

std::string etag(const JobView& job);
void append_job(std::string& out, const JobView& job, const JobDetail& detail = {});
std::string job_json(const JobView& job, const JobDetail& detail = {});
// Of an object's text, only the named members, in that order.
std::string pick_fields(const std::string& object, const std::vector<std::string>& names);

void append_attempt(std::string& out, const AttemptRecord& attempt);
void append_ticket(std::string& out, const storage::TicketView& ticket);
void append_pool(std::string& out, const PoolView& pool);

// "[a,b]" of what `one(out, item)` appends for each.
template <class Items, class One>
void append_list(std::string& out, const Items& items, One one) {
  out += '[';
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += ',';
    first = false;
    one(out, item);
  }
  out += ']';
}

}  // namespace quell::http
