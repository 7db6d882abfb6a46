#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// What a handler can ask for by the types of its parameters.
namespace aegis {

/// A string literal as a template argument.
template <std::size_t N>
struct Literal {
  char text[N]{};
  constexpr Literal(const char (&literal)[N]) {  // NOLINT: implicit, so that Path<"id", T> works
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

namespace detail {
/// A value that reads like the value it holds.
template <class T>
struct Held {
  T value{};
  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
  operator const T&() const { return value; }  // NOLINT: the wrapper only names the source
};
}  // namespace detail

/// A segment of the route's path: "/shields/{id}" gives Path<"id", std::int64_t>, and
/// "/files/{name*}" all the rest as Path<"name", std::string>. Percent-decoded.
template <Literal Name, class T>
struct Path : detail::Held<T> {};

/// A query parameter; std::optional<T> when it may be absent, std::vector<T> when it may be
/// repeated.
template <Literal Name, class T>
struct Query : detail::Held<T> {};

/// All query parameters at once: a struct with AEGIS_FIELDS, whose defaults stand for absent ones
/// and whose rules are checked. Scalars, and vectors of them for what may be repeated. An unknown
/// parameter is an error.
template <class T>
struct QueryOf : detail::Held<T> {};

/// A request header; std::optional<T> when it may be absent.
template <Literal Name, class T = std::string>
struct Header : detail::Held<T> {};

/// The body: JSON read into a struct with AEGIS_FIELDS or AEGIS_TABLE, or a vector of such, and
/// checked by its rules. A key that the database fills cannot be named.
template <class T>
struct Body : detail::Held<T> {
  T& operator*() { return this->value; }
  T* operator->() { return &this->value; }
  using detail::Held<T>::operator*;
  using detail::Held<T>::operator->;
};

/// An object that was provided to the application by its type (App::provide).
template <class T>
struct Service {
  T* object = nullptr;
  T& operator*() const { return *object; }
  T* operator->() const { return object; }
};

}  // namespace aegis
