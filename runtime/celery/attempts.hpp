// The attempts that run on this node, by the token with which a task's own process speaks to the
// door. A token ends with its attempt's coroutine frame, so before anything of it is stopped.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/id.hpp"

namespace quell::celery {

struct Attempt {
  JobId job;
  int epoch = 0;            // of the run; the door reads it when the process comes in
  std::string project, id;  // id: Celery's
};

class Attempts {
 public:
  // HOST:PORT where the processes of tasks find the door, on this machine only.
  void set_door(std::string address);
  std::string door() const;

  std::string open(Attempt attempt);  // the token
  void close(const std::string& token);
  std::optional<Attempt> find(std::string_view token) const;

 private:
  mutable std::mutex mutex_;
  std::string door_;
  std::map<std::string, Attempt, std::less<>> open_;
};

class AttemptToken {
 public:
  AttemptToken(std::shared_ptr<Attempts> attempts, Attempt attempt)
      : attempts_(std::move(attempts)), text_(attempts_->open(std::move(attempt))) {}
  AttemptToken(const AttemptToken&) = delete;
  AttemptToken& operator=(const AttemptToken&) = delete;
  ~AttemptToken() { attempts_->close(text_); }
  const std::string& text() const { return text_; }

 private:
  std::shared_ptr<Attempts> attempts_;
  std::string text_;
};

}  // namespace quell::celery
