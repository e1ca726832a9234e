#include "http/api/views/openapi.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "http/api/router.hpp"
#include "http/api/views/api_shapes.hpp"
#include "http/server/version.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/base/error.hpp"

namespace quell::http {

namespace {

using Json = nlohmann::ordered_json;

// All files of http/api as one: what each says under a name is added to what the others say there.
Json read_shapes() {
  Json all{{"schemas", Json::object()}, {"routes", Json::object()}, {"errors", Json::object()}};
  for (const std::string_view text : api_shapes()) {
    const Json file = Json::parse(text);
    for (const auto& [part, members] : file.items()) all[part].update(members);
  }
  // A schema of some of another one's members, for replies from which the caller picks.
  for (auto& [name, schema] : all["schemas"].items()) {
    if (!schema.contains("x-some-of")) continue;
    const std::string whole = schema["x-some-of"].get<std::string>();
    schema = all["schemas"].at(whole);
    schema.erase("required");
    schema.erase("examples");
    schema["description"] = "Of a " + whole + ", what the call asked for.";
  }
  return all;
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

Json ref(const std::string& name) {
  return {{"$ref", "#/components/schemas/" + name}};
}

Json parameters(const Route& route, const Json& shape) {
  Json out = Json::array();
  const std::string_view path = route.path;
  for (std::size_t open = path.find('{'); open != std::string_view::npos;
       open = path.find('{', open + 1))
    out.push_back({{"name", path.substr(open + 1, path.find('}', open) - open - 1)},
                   {"in", "path"},
                   {"required", true},
                   {"schema", {{"type", "string"}}}});
  const Json query = shape.value("query", Json::object());
  for (const auto& [name, schema] : query.items())
    out.push_back({{"name", name}, {"in", "query"}, {"schema", schema}});
  const Json headers = shape.value("headers", Json::array());
  for (const auto& name : headers)
    out.push_back({{"name", name}, {"in", "header"}, {"schema", {{"type", "string"}}}});
  return out;
}

Json content(const Json& shape) {
  if (shape.is_null()) return {};
  const std::string name = shape.get<std::string>();
  if (name.find('/') != std::string::npos) return {{name, {{"schema", {{"type", "string"}}}}}};
  return {{"application/json", {{"schema", ref(name)}}}};
}

std::set<std::string> codes_of(const Route& route, const Json& shape, const Json& groups) {
  std::set<std::string> codes;
  const auto add = [&codes](const Json& names) {
    for (const auto& name : names) codes.insert(name.get<std::string>());
  };
  add(groups.at("always"));
  if (!route.need.is_open) add(groups.at("with_token"));
  if (route.body != BodySize::none) add(groups.at("with_body"));
  if (route.path.substr(0, 8) == "/api/v1/") add(groups.at("of_the_api"));
  add(shape.value("errors", Json::array()));
  return codes;
}

int status_of(const std::string& code) {
#define QUELL_ERROR(name, wire, http_status, exit, retryable, sentence) \
  if (code == wire) return http_status;
#include "runtime/spec/errors.def"
#undef QUELL_ERROR
  QUELL_ASSERT(!"http/api names an error that errors.def does not have");
  return 0;
}

// Problems by status; which codes a status may carry stands in `x-codes`, for people and tests.
void add_problems(Json& replies, const std::set<std::string>& codes) {
  for (const std::string& code : codes) {
    Json& reply = replies[std::to_string(status_of(code))];
    Json& listed = reply["x-codes"];
    listed.push_back(code);
    if (!reply.contains("description")) reply["description"] = "refused, or failed";
    reply["content"]["application/problem+json"] = {{"schema", ref("Problem")}};
  }
}

Json operation(const Route& route, const Json& shapes) {
  const Json& routes = shapes.at("routes");
  const Json shape = routes.value(std::string{route.name}, Json::object());
  const std::string_view path = route.path;
  const std::string_view tag = path.substr(0, 8) == "/api/v1/" ? path.substr(8) : "probes";
  Json out{{"operationId", route.name},
           {"summary", route.sentence},
           {"tags", {tag.substr(0, tag.find('/'))}},
           {"x-scope", route.need.name()}};
  out["security"] = Json::array();
  if (!route.need.is_open)
    out["security"] = {Json{{"bearer", Json::array()}}, Json{{"session", Json::array()}}};
  out["parameters"] = parameters(route, shape);
  if (shape.contains("body")) out["requestBody"] = {{"content", content(shape["body"])}};
  Json replies = Json::object();
  const Json good = shape.value("replies", Json::object());
  for (const auto& [status, reply] : good.items()) {
    replies[status]["description"] = status == "202" ? "accepted, not finished" : "done";
    if (!reply.is_null()) replies[status]["content"] = content(reply);
  }
  add_problems(replies, codes_of(route, shape, shapes.at("errors")));
  out["responses"] = std::move(replies);
  return out;
}

Json security_schemes() {
  return {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
          {"session",
           {{"type", "apiKey"},
            {"in", "cookie"},
            {"name", "__Host-quell"},
            {"description", "a browser's session; `quell` over plain HTTP on loopback"}}}};
}

}  // namespace

const std::vector<std::string>& media_types(const Route& route) {
  static const std::vector<std::vector<std::string>> all = [] {
    const Json shapes = read_shapes();
    std::vector<std::vector<std::string>> types;
    for (const Route& one : routes()) {
      std::vector<std::string>& of_one = types.emplace_back();
      of_one.emplace_back("application/problem+json");
      const Json shape = shapes.at("routes").value(std::string{one.name}, Json::object());
      const Json replies = shape.value("replies", Json::object());
      for (const auto& [status, reply] : replies.items()) {
        const Json described = content(reply);
        for (const auto& [media, schema] : described.items()) of_one.push_back(media);
      }
    }
    return types;
  }();
  return all.at(static_cast<std::size_t>(&route - routes().data()));
}

std::string openapi_json() {
  const Json shapes = read_shapes();
  Json document{{"openapi", "3.1.0"},
                {"info",
                 {{"title", "quell"},
                  {"version", version},
                  {"description", "A job runtime in which delete means deleted."}}},
                {"paths", Json::object()}};
  for (const Route& route : routes())
    document["paths"][std::string{route.path}][lower(route.method)] = operation(route, shapes);
  document["components"] = {{"securitySchemes", security_schemes()},
                            {"schemas", shapes.at("schemas")}};
  return document.dump();
}

}  // namespace quell::http
