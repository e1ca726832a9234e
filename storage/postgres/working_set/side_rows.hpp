// What hangs on a job: results, attempts, progress, steps, partial results, logs, deliveries.
// Gathered over a batch and written as one set per table.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/batch.hpp"
#include "storage/postgres/connection/connection.hpp"

namespace quell::storage::postgres {

class SideRows {
 public:
  explicit SideRows(Connection& db) : db_(db) {}
  // Each returns the bit of job.has that now is true.
  int result(JobId job, const std::string& body, const std::string& error,
             std::optional<Instant> until = {});
  void no_result(JobId job) { rows_.no_results.push_back(job); }
  int lost_too_often(JobId job);
  int usage(JobId job, const std::string& usage);
  int progress(JobId job, const std::optional<double>& progress,
               const std::optional<std::string>& phase, const std::optional<std::string>& usage);
  int attempt(JobId job, const AttemptRecord& record);
  int partials(JobId job, const std::vector<std::string>& texts);
  int logs(JobId job, const std::vector<LogLine>& lines);
  int steps(JobId job, const std::vector<StepResult>& results);
  int deliveries(JobId job, const std::vector<NewDelivery>& deliveries);
  int doubt(JobId job, const Holder& lost);
  void write();
  void forget() { rows_ = {}; }

 private:
  struct Result {
    std::string body, error;
    std::optional<Instant> until;
  };
  struct Progress {
    std::optional<double> progress;
    std::optional<std::string> phase, usage;
  };
  void write_results();
  void write_progress();
  void write_attempts();
  void write_partials();
  void write_logs();
  void write_steps();
  void write_deliveries();
  void write_doubts();

  Connection& db_;
  struct Gathered {
    std::vector<std::pair<JobId, Result>> results;
    std::vector<JobId> no_results, lost;
    std::map<JobId, Progress> progress;
    std::vector<std::pair<JobId, AttemptRecord>> attempts;
    std::map<JobId, std::vector<std::string>> partials;
    std::map<JobId, std::vector<LogLine>> logs;
    std::map<JobId, std::vector<StepResult>> steps;
    std::vector<std::pair<JobId, NewDelivery>> deliveries;
    std::vector<std::pair<JobId, Holder>> doubts;
  };
  Gathered rows_;
};

}  // namespace quell::storage::postgres
