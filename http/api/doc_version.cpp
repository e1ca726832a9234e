#include "http/api/doc_version.hpp"

#include <fmt/format.h>

#include <charconv>

namespace quell::http {

namespace {
constexpr std::int64_t no_version = -1;  // a tag that was never given out matches nothing
}

std::string version_tag(std::int64_t version) {
  return fmt::format("\"{}\"", version);
}

std::optional<VersionWanted> version_wanted(RequestContext& call) {
  std::string_view text = call.request.header("If-Match");
  if (text.empty() || text == "*") return VersionWanted{};
  if (text.find(',') != std::string_view::npos) {
    call.fail({ErrorCode::invalid_field, "If-Match takes one entity tag here, or *."});
    return std::nullopt;
  }
  std::int64_t version = no_version;
  if (text.size() > 2 && text.front() == '"' && text.back() == '"') {
    const char* end = text.data() + text.size() - 1;
    std::int64_t number = 0;
    const auto [stop, fault] = std::from_chars(text.data() + 1, end, number);
    if (fault == std::errc{} && stop == end && version_tag(number) == text) version = number;
  }
  return VersionWanted{version};
}

void fail_version(RequestContext& call, std::int64_t version) {
  Problem problem(ErrorCode::etag_mismatch,
                  fmt::format("Its entity tag is {} now.", version_tag(version)));
  problem.headers.emplace_back("ETag", version_tag(version));
  call.fail(problem);
}

void reply_with_version(RequestContext& call, std::string json, std::int64_t version) {
  Response response;
  response.body = std::move(json);
  response.headers.emplace_back("ETag", version_tag(version));
  call.reply(std::move(response));
}

Result<std::int64_t> stored_version(storage::Reader& reader, const std::string& kind,
                                    const std::string& id) {
  const Result<std::optional<storage::Doc>> doc = reader.doc(kind, id);
  if (!doc) return doc.error();
  return doc.value() ? doc.value()->version : 0;
}

}  // namespace quell::http
