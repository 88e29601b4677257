// Reading payloads that anybody may have written: bounded in depth, and what is missing or of
// another type reads as empty. Only for the files of this folder.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "server/forge/forge.h"

namespace slipway::server {

// Discarded (not an object) when it is no JSON or deeper than any host sends.
nlohmann::json parse_bounded(std::string_view body);

std::string text_at(const nlohmann::json& object, const char* key);
bool flag_at(const nlohmann::json& object, const char* key);
std::int64_t number_at(const nlohmann::json& object, const char* key);
// An empty object when there is none.
const nlohmann::json& object_at(const nlohmann::json& object, const char* key);
const nlohmann::json& object_at(const nlohmann::json& object,
                                std::initializer_list<const char*> keys);

// The texts of `key` in each object of a list, separated by commas: the names of labels.
std::string joined_texts(const nlohmann::json& list, const char* key);

// A whole number, or a text: what a host identifies people by. "" for none.
std::string id_at(const nlohmann::json& object, const char* key);

bool is_commit_hash(std::string_view text);
bool is_zero_hash(std::string_view text);  // stands for "no commit"

// Whether the repository of a payload, with this path and these addresses, is the project's.
bool is_about(const HookedProject& project, const std::string& path,
              std::initializer_list<std::string> addresses);
// Denied.
Error about_another(const HookedProject& project);
// "the payload is not a push as GitHub sends it: " and `why`.
Error malformed(std::string_view host, const std::string& why);

// "refs/heads/x" and "refs/tags/x", and a commit before and after: what most hosts tell of a push.
// A deletion comes out ignored.
Result<ForgeEvent> push_of(const nlohmann::json& payload, std::string_view host);

ForgeEvent deleted(const std::string& ref, bool is_tag);
ForgeEvent other_event(std::string_view event);

}  // namespace slipway::server
