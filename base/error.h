// Errors as values: what went wrong, where in the user's file, and what to do next.
//
// Expected failures (bad input, missing rows, a runner that went away) travel as Error inside a
// Result. Exceptions are kept for broken invariants and for the edges of third-party libraries,
// where they are caught and turned into an Error.
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace slipway {

// HTTP status, exit code and retry follow from the kind, each in one function.
enum class ErrorKind : std::uint8_t {
  InvalidInput,
  Unauthenticated,
  Denied,
  NotFound,
  Conflict,
  TooLarge,
  Unavailable,
  Internal,
};

// A place in a user's file. Lines and columns count from 1; 0 means "not known".
struct SourceSpan {
  std::string file;
  int line = 0;
  int column = 0;

  bool operator==(const SourceSpan&) const = default;
};

struct Error {
  ErrorKind kind = ErrorKind::Internal;
  std::string message;  // lower case, no full stop, names the thing, says what was expected
  std::optional<SourceSpan> span;
  std::string hint;  // what to do next; empty when there is nothing useful to say

  Error with_hint(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
  }
  Error at(SourceSpan where) && {
    span = std::move(where);
    return std::move(*this);
  }
  // Puts `context` in front: "cannot start 'docker': no such file". Use it once, where it is known.
  Error in(std::string_view context) && {
    message = std::string{context} + ": " + message;
    return std::move(*this);
  }
};

std::string_view to_string(ErrorKind kind);

inline Error fail(ErrorKind kind, std::string message) {
  return Error{kind, std::move(message), std::nullopt, {}};
}

// A value or an Error, spelled like C++23's std::expected (which g++ 12 lacks in C++20 mode).
// Converts from either side, so functions simply return what they have.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return checked(); }
  const T& value() const& { return const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(checked()); }
  T& operator*() & { return checked(); }
  const T& operator*() const& { return const_cast<Result*>(this)->checked(); }
  T&& operator*() && { return std::move(checked()); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &const_cast<Result*>(this)->checked(); }

  [[nodiscard]] const Error& error() const& {
    assert(!has_value() && "error() of a Result that holds a value");
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] Error&& error() && {
    assert(!has_value() && "error() of a Result that holds a value");
    return std::move(*std::get_if<1>(&state_));
  }
  T value_or(T fallback) const& { return has_value() ? **this : std::move(fallback); }

 private:
  T& checked() {
    assert(has_value() && "value() of a Result that holds an error");
    return *std::get_if<0>(&state_);
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  [[nodiscard]] bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  [[nodiscard]] const Error& error() const& {
    assert(error_ && "error() of a Result that holds a value");
    return *error_;
  }
  [[nodiscard]] Error&& error() && {
    assert(error_ && "error() of a Result that holds a value");
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace slipway
