#include "storage/call_slices.hpp"

#include <set>

#include "runtime/law/job_machine.hpp"

namespace quell::storage {

namespace {

constexpr std::string_view end = R"("})", joined_word = R"(","joined":")", more = "more|";
constexpr int tickets_most = 100'000;

}  // namespace

std::string unmarked_after(const MarkOp& op) {
  if (op.slices == 1) return {};
  std::string note(unmarked_prefix);
  for (int slice = 0; slice < op.slices; ++slice)
    if (slice != op.slice) note += std::to_string(slice) + '|';
  note += end;
  return note;
}

std::string marked_slice(const MarkOp& op) {
  return '|' + std::to_string(op.slice) + '|';
}

std::vector<JobId> joined_of(const MarkOp& op, const std::vector<MarkedJob>& answers) {
  std::vector<JobId> joined;
  for (const MarkedJob& one : answers)
    if (one.answer == MarkAnswer::joined && one.delete_id != op.delete_id)
      joined.push_back(one.job);
  return joined;
}

std::string with_joined(std::string counts, const std::vector<JobId>& joined) {
  if (counts.empty()) counts = std::string(unmarked_prefix) + std::string(end);
  if (!counts.starts_with(unmarked_prefix)) return counts;
  if (counts.find(joined_word) == std::string::npos)
    counts.replace(counts.size() - end.size(), end.size(), std::string(joined_word) + "|\"}");
  for (const JobId& job : joined) {
    const bool is_full = counts.size() >= joined_most * (job.text().size() + 1);
    const std::string one = is_full ? std::string(more) : job.text() + '|';
    if (counts.find('|' + one) == std::string::npos) counts.insert(counts.size() - end.size(), one);
    if (is_full) break;
  }
  return counts;
}

void read_note(CallView& call) {
  if (!call.counts.starts_with(unmarked_prefix)) return;
  const std::string_view note = call.counts;
  call.is_marked = note.at(unmarked_prefix.size()) == '"';
  const auto joined = note.find(joined_word);
  std::string_view names = joined == std::string_view::npos
                               ? std::string_view()
                               : note.substr(joined + joined_word.size() + 1);
  for (auto bar = names.find('|'); bar != std::string_view::npos; bar = names.find('|')) {
    if (const auto job = Uuid::parse(names.substr(0, bar)))
      call.joined.push_back(*job);
    else
      call.joined_more = true;
    names.remove_prefix(bar + 1);
  }
  call.counts.clear();
}

Result<std::vector<TicketView>> open_joined(Reader& reader, const CallView& call, Instant now) {
  std::vector<TicketView> open;
  if (call.joined.empty()) return open;
  const auto found = reader.get(call.joined, false);
  if (!found) return found.error();
  std::set<JobId> jobs;
  std::set<DeleteId> calls;
  for (const Found& one : *found) {
    if (!one.job || !is_leaving(one.job->state)) continue;
    jobs.insert(one.job->id);
    if (one.job->delete_id) calls.insert(*one.job->delete_id);
  }
  const auto take = [&](std::optional<DeleteId> only) -> Result<void> {
    const auto tickets = reader.tickets(only, false, now, tickets_most);
    if (!tickets) return tickets.error();
    for (const TicketView& ticket : *tickets)
      if (!ticket.forced && (!only || jobs.contains(ticket.job))) open.push_back(ticket);
    return {};
  };
  if (call.joined_more) {  // which are not known any more: all that are open may be meant
    if (auto read = take(std::nullopt); !read) return read.error();
    return open;
  }
  for (const DeleteId& id : calls)
    if (auto read = take(id); !read) return read.error();
  return open;
}

}  // namespace quell::storage
