#include "server/http/trigger_form.h"

#include <map>
#include <nlohmann/json.hpp>

#include "server/http/given_variables.h"
#include "server/http/json.h"
#include "server/http/multipart.h"
#include "server/http/request_head.h"

namespace slipway::server::http {

using nlohmann::json;

namespace {

// "variables[NAME]" → "NAME"; "" of any other.
std::string name_in(std::string_view field, std::string_view family) {
  if (!field.starts_with(family) || field.size() < family.size() + 3 ||
      field[family.size()] != '[' || field.back() != ']')
    return {};
  return std::string{field.substr(family.size() + 1, field.size() - family.size() - 2)};
}

bool is_utf8(const std::string& text) {
  return json::parse(dump(text)) == text;  // dump() replaces what is none
}

// A text that is no JSON is meant as it stands.
std::string as_json(const std::string& text) {
  const auto parsed = json::parse(text, nullptr, false);
  return parsed.is_discarded() ? json(text).dump() : parsed.dump();
}

template <typename Fields>
Result<TriggerForm> from_fields(const Fields& fields) {
  TriggerForm form;
  for (const auto& [name, value] : fields) {
    if (!is_utf8(name) || !is_utf8(value))
      return fail(ErrorKind::InvalidInput, "field '" + name + "' is not UTF-8");
    if (name == "token") form.token = value;
    if (name == "ref") form.ref = value;
    if (auto variable = name_in(name, "variables"); !variable.empty())
      form.variables.push_back({std::move(variable), value, false});
    if (auto input = name_in(name, "inputs"); !input.empty())
      form.inputs.emplace_back(std::move(input), as_json(value));
  }
  return form;
}

Result<TriggerForm> from_json(const std::string& body) {
  const auto object = parse_object(body);
  if (!object) return object.error();
  FieldReader fields{*object};
  TriggerForm form;
  form.token = fields.text("token").value_or("");
  form.ref = fields.text("ref").value_or("");
  if (fields.error()) return *fields.error();
  auto inputs = given_inputs(*object);
  if (!inputs) return std::move(inputs).error();
  form.inputs = std::move(*inputs);
  const auto variables = object->find("variables");
  if (variables == object->end() || variables->is_null()) return form;
  if (!variables->is_object())
    return fail(ErrorKind::InvalidInput, "field 'variables' must be an object of names and texts");
  for (const auto& [name, value] : variables->items()) {
    if (!value.is_string())
      return fail(ErrorKind::InvalidInput, "the variable '" + name + "' must be a text");
    form.variables.push_back({name, value.template get<std::string>(), false});
  }
  return form;
}

Result<TriggerForm> from_multipart(const Request& request) {
  const auto boundary = multipart_boundary(request.headers.get("content-type"));
  if (!boundary) return boundary.error();
  MultipartReader reader{*boundary, "", [](std::string_view) { return Result<void>{}; }};
  if (auto fed = reader.feed(request.body); !fed) return fed.error();
  return from_fields(reader.fields());
}

Result<TriggerForm> read_body(const Request& request) {
  const auto type = request.headers.get("content-type");
  if (type.starts_with("multipart/form-data")) return from_multipart(request);
  if (type.starts_with("application/x-www-form-urlencoded")) {
    // A query and such a form are written alike.
    const auto target = parse_target("/?" + request.body);
    if (!target) return target.error();
    return from_fields(target->query);
  }
  return from_json(request.body);
}

}  // namespace

Result<TriggerForm> read_trigger_form(const Request& request) {
  if (request.query_value("token"))
    return fail(ErrorKind::InvalidInput,
                "the token must not stand in the address, which logs and proxies keep")
        .with_hint("send it in the body: curl --request POST --form token=TOKEN --form ref=main");
  auto form = read_body(request);
  if (!form) return form;
  if (form->ref.empty()) form->ref = std::string{request.query_value("ref").value_or("")};
  if (form->token.empty()) return fail(ErrorKind::InvalidInput, "field 'token' is missing");
  if (form->ref.empty()) return fail(ErrorKind::InvalidInput, "field 'ref' is missing");
  return form;
}

}  // namespace slipway::server::http
