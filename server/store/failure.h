// What the store throws: broken SQL, a broken disk, a database that cannot be reached.
#pragma once

#include <stdexcept>
#include <utility>

#include "base/error.h"

namespace slipway::server {

class StoreFailure : public std::runtime_error {
 public:
  explicit StoreFailure(Error error)
      : std::runtime_error{error.message}, error_(std::move(error)) {}
  // Conflict for a value that must be unique, Unavailable for a full or broken disk or a lost
  // connection, else Internal.
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  Error error_;
};

// The database gave the transaction up for the sake of another one: a deadlock, or an order that
// could not be kept. Nothing of it is stored, and the same again may well succeed. Unavailable.
class TransactionGivenUp final : public StoreFailure {
 public:
  using StoreFailure::StoreFailure;
};

}  // namespace slipway::server
