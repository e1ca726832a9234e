#include "http/api/found_job.hpp"

#include "http/api/views/json_writer.hpp"

namespace quell::http {

namespace {

// A tombstone does not say whose job it was; who deleted it and why is told to those of all
// projects, and to the one who did.
Problem deleted_problem(const storage::Tombstone& tomb, const Principal& asker) {
  const bool all = asker.project.empty() || tomb.who == asker.who();
  const std::string who = all ? tomb.who : std::string{};
  Problem problem(ErrorCode::job_deleted);
  std::string view;
  {
    ObjectWriter object(view);
    object.text("delete_id", tomb.delete_id.text());
    object.text("was", to_string(tomb.was));
    object.text("verdict", to_string(tomb.verdict));
    object.text_or_null("reason", all ? tomb.reason : "");
    object.time("until", tomb.until);
  }
  problem.member("job_id", json_string(tomb.job.text()));
  problem.member("deleted_at", json_string(time_text(tomb.at)));
  problem.member("deleted_by", who.empty() ? "null" : json_string(who));
  problem.member("tombstone", view);
  return problem;
}

}  // namespace

std::optional<JobView> find_job(RequestContext& call, storage::Reader& reader, JobId id,
                                bool with_payload) {
  Result<std::vector<storage::Found>> found = reader.get({id}, with_payload);
  if (!found) return call.fail(found.error()), std::nullopt;
  storage::Found& one = found->front();
  if (one.job) {
    const std::string& own = call.principal.project;
    if (own.empty() || own == one.job->project) return std::move(one.job);
  } else if (one.tomb) {
    return call.fail(deleted_problem(*one.tomb, call.principal)), std::nullopt;
  }
  return call.fail({ErrorCode::job_not_found}), std::nullopt;
}

}  // namespace quell::http
