#include <fmt/format.h>

#include "runtime/policy/webhook_outbox.hpp"
#include "runtime/signing/webhook_signature.hpp"
#include "runtime/spec/emitted.hpp"

// The page about webhooks that is asked of the policy itself: events, waits, verdicts.
namespace quell::spec {
namespace {

std::string span(Millis wait) {
  using namespace std::chrono;
  if (wait >= hours{1}) return fmt::format("{} h", duration_cast<hours>(wait).count());
  if (wait >= minutes{1}) return fmt::format("{} min", duration_cast<minutes>(wait).count());
  return fmt::format("{} s", duration_cast<seconds>(wait).count());
}

std::string waits() {
  std::string text = "| Try | At the earliest | At the latest |\n| --- | --- | --- |\n";
  text += "| 1 | at once | |\n";
  for (int failed = 1;; ++failed) {
    const auto soonest = webhook_retry(failed, 0.0);
    if (!soonest) break;
    text +=
        fmt::format("| {} | {} after the one before | + a fifth |\n", failed + 1, span(*soonest));
  }
  return text;
}

std::string_view meaning_of(WebhookVerdict verdict) {
  switch (verdict) {
    case WebhookVerdict::delivered:
      return "delivered";
    case WebhookVerdict::retry:
      return "failed; tried again";
    case WebhookVerdict::slow_down:
      return "failed; tried again, not before `Retry-After`";
    case WebhookVerdict::disable:
      return "the endpoint is disabled at once";
  }
  return "";
}

std::string verdicts() {
  std::string text = "| Reply | Means |\n| --- | --- |\n";
  for (const int status : {200, 204, 302, 400, 404, 410, 429, 500, 502, 503, 504})
    text += fmt::format("| {} | {} |\n", status, meaning_of(judge_webhook_reply(status)));
  return text + "| none in time | failed; tried again |\n";
}

}  // namespace

Emitted webhooks_page() {
  std::string text =
      "<!-- Written by quell_emit from runtime/webhook_*.cpp: change the policy. -->\n\n"
      "# Webhooks: events, tries, replies\n\n"
      "How to receive them stands in the [guide](../guides/webhooks.md).\n\n## Events\n\n";
  for (const std::string_view event : webhook_event_types()) text += fmt::format("- `{}`\n", event);
  text += fmt::format(
      "\nA call that names more than {} jobs sends one `jobs.deleted` instead of a\n"
      "`job.deleted` for each, also to whoever asked only for the latter.\n\n",
      deleted_one_by_one_max);
  text += "## Tries\n\n" + waits() + "\nAfter the last try the delivery is given up; it can be ";
  text += "sent again by hand.\n\n## Replies\n\n" + verdicts();
  return {"docs/reference/webhooks.md", std::move(text)};
}

}  // namespace quell::spec
