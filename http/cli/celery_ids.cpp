// A job by the id that Celery knows it by: `celery:ID` wherever a verb takes a job's id.
#include "http/cli/actions.hpp"
#include "http/cli/api_client.hpp"

namespace quell::cli {

namespace {
constexpr std::string_view mark = "celery:";

bool takes_jobs(const Verb& verb) {
  return verb.is_client && verb.name.find(' ') == std::string_view::npos &&
         verb.words_are.find("ID") != std::string_view::npos;
}
}  // namespace

// Of several that had the id, one after the other, the newest.
bool name_jobs(const Verb& verb, Arguments& args, int& exit_code) {
  if (!takes_jobs(verb)) return true;
  std::optional<ApiClient> session;
  for (std::string& word : args.words) {
    if (!word.starts_with(mark)) continue;
    if (!session && !(session = ApiClient::open(args, exit_code))) return false;
    const auto page =
        session->want("GET", "/api/v1/jobs?kind=celery&page_size=1&tag=" + escape_query(word));
    if (!page) return exit_code = session->exit_code(), false;
    const Json jobs = page->body.value("jobs", Json::array());
    if (jobs.empty()) {
      exit_code =
          fail_with(ErrorCode::job_not_found, "no job has Celery's id " + word.substr(mark.size()));
      return false;
    }
    word = jobs.front().value("job_id", "");
  }
  return true;
}

}  // namespace quell::cli
