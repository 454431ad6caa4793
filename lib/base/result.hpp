// Result<T>: a value or an Error. The members have the names of std::expected (C++23), so that
// it can be replaced by it once the compiler has one.
#pragma once

#include "base/error.hpp"

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace rb {

template <typename T> class [[nodiscard]] Result {
public:
  using value_type = T;

  // Implicit on purpose: `return value;` and `return Error{...};` read as what they mean.
  Result(T value)
      : m_state(std::in_place_index<0>, std::move(value)) {} // NOLINT(google-explicit-constructor)
  Result(Error error)
      : m_state(std::in_place_index<1>, std::move(error)) {} // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const { return m_state.index() == 0; }
  explicit operator bool() const { return has_value(); }

  /// Precondition: has_value().
  [[nodiscard]] T& value() & { return std::get<0>(m_state); }
  [[nodiscard]] const T& value() const& { return std::get<0>(m_state); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(m_state)); }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Precondition: !has_value().
  [[nodiscard]] Error& error() & { return std::get<1>(m_state); }
  [[nodiscard]] const Error& error() const& { return std::get<1>(m_state); }
  [[nodiscard]] Error&& error() && { return std::get<1>(std::move(m_state)); }

  [[nodiscard]] T value_or(T fallback) && {
    return has_value() ? std::move(*this).value() : std::move(fallback);
  }

private:
  std::variant<T, Error> m_state;
};

template <> class [[nodiscard]] Result<void> {
public:
  using value_type = void;

  Result() = default;
  Result(Error error) : m_error(std::move(error)) {} // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const { return !m_error.has_value(); }
  explicit operator bool() const { return has_value(); }

  /// Precondition: !has_value().
  [[nodiscard]] Error& error() & { return *m_error; }
  [[nodiscard]] const Error& error() const& { return *m_error; }
  [[nodiscard]] Error&& error() && { return *std::move(m_error); }

private:
  std::optional<Error> m_error;
};

using Status = Result<void>;

} // namespace rb

#define RB_CONCAT_INNER(a, b) a##b
#define RB_CONCAT(a, b) RB_CONCAT_INNER(a, b)

/// RB_TRY(expression): leaves the function with the error of a failed Result, drops a value.
#define RB_TRY(expression)                                                                         \
  do {                                                                                             \
    auto rb_try_result = (expression);                                                             \
    if (!rb_try_result) {                                                                          \
      return std::move(rb_try_result).error();                                                     \
    }                                                                                              \
  } while (false)

/// RB_TRY_ASSIGN(auto value, expression): declares or assigns the value, or leaves with the error.
#define RB_TRY_ASSIGN(declaration, expression)                                                     \
  RB_TRY_ASSIGN_IMPL(RB_CONCAT(rb_try_assign_, __LINE__), declaration, expression)
#define RB_TRY_ASSIGN_IMPL(temporary, declaration, expression)                                     \
  auto temporary = (expression);                                                                   \
  if (!temporary) {                                                                                \
    return std::move(temporary).error();                                                           \
  }                                                                                                \
  declaration = std::move(temporary).value()
