// A message that is taken is the same message when it is read again from the job that it became,
// and what a job is made of it has the message's own words in it.
#include "runtime/celery/message.hpp"

#include "runtime/celery/result_meta.hpp"
#include "tests/fuzz/property.hpp"

using namespace quell::celery;
using quell::fuzz::hold;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string envelope(reinterpret_cast<const char*>(data), size);
  const auto progress = progress_in(envelope);
  hold(!progress || progress->phase.size() <= 200, "a phase has an end");
  const auto message = read_message(envelope);
  if (!message) return 0;
  hold(is_id(message->id), "a task's id can be kept");
  hold(message->priority >= 0 && message->priority <= 9, "a priority is one");
  const auto kept = envelope_of(job_args(*message, envelope));
  hold(kept.has_value(), "the job has its message");
  const auto again = read_message(*kept);
  hold(again.ok(), "it is read again");
  hold(message->id == id_of_job || again->id == message->id, "under its id");
  hold(again->task == message->task && again->group == message->group &&
           again->eta == message->eta && again->expires == message->expires &&
           again->priority == message->priority,
       "as it was");
  return 0;
}
