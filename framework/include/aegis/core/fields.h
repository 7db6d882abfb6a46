#pragma once

#include <utility>

#include "aegis/core/attributes.h"
#include "aegis/core/for_each.h"
#include "aegis/core/type.h"

/// Describes a plain struct, from inside it, after its members:
///
///   struct ShieldCreate {
///     std::string name{};
///     int defense_rating = 10;
///     AEGIS_FIELDS(ShieldCreate, (name, min_length(1)), (defense_rating, ge(0), le(100)))
///   };
///
/// The struct stays an aggregate. Every member must be listed, in order of declaration; a struct
/// without members has AEGIS_FIELDS(Name).
/// Attributes: see aegis/core/attributes.h.
#define AEGIS_FIELDS(Struct, ...)                                                 \
  using aegis_self = Struct;                                                      \
  static constexpr ::std::string_view aegis_name() {                              \
    return #Struct;                                                               \
  }                                                                               \
  static constexpr auto aegis_fields() {                                          \
    return ::std::array<::aegis::Field, 0 __VA_OPT__(+AEGIS_COUNT(__VA_ARGS__))>{ \
        __VA_OPT__(AEGIS_EACH_FIELD(AEGIS_DESCRIBE_FIELD, __VA_ARGS__))};         \
  }

#define AEGIS_DESCRIBE_FIELD(index, name, ...)    \
  ::aegis::detail::make_field<&aegis_self::name>( \
      #name __VA_OPT__(AEGIS_EACH_ATTRIBUTE(AEGIS_ATTRIBUTE, __VA_ARGS__))),
#define AEGIS_ATTRIBUTE(attribute) , ::aegis::attributes::attribute

namespace aegis {
namespace detail {

template <class Owner, class T>
Owner owner_of(T Owner::*);
template <class Owner, class T>
T member_type(T Owner::*);

template <Kind kind, class Attribute>
constexpr void apply(Rules& rules, const Attribute& attribute) {
  static_assert(Attribute::fits(kind),
                "This attribute does not fit the type of the field it is given to.");
  attribute.apply(rules);
}

template <auto Member, class... Attributes>
constexpr Field make_field(std::string_view name, const Attributes&... attributes) {
  using Owner = decltype(owner_of(Member));
  using T = decltype(member_type(Member));
  constexpr Kind kind = kind_of<T>();  // first, since it says what types are supported
  Field field{name,
              &type_of<T>(),
              [](void* object) -> void* { return &(static_cast<Owner*>(object)->*Member); },
              {}};
  (apply<kind>(field.rules, attributes), ...);
  return field;
}

/// Initialises a member of any type; never called. (The bodies are there since a T of an unnamed
/// namespace could have none elsewhere.)
struct Anything {
  template <class T>
  operator T&() const& noexcept {
    __builtin_unreachable();
  }
  template <class T>
  operator T&() const&& noexcept {
    __builtin_unreachable();
  }
};

template <class T, std::size_t... I>
constexpr bool takes_initialisers(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything{})...}; };
}
/// Whether the aggregate T has `count` members: it takes as many initialisers and not one more.
/// (Two instantiations; counting them, as Boost.PFR does, costs 50 ms of compile time a struct.)
template <class T, std::size_t count>
constexpr bool has_members = takes_initialisers<T>(std::make_index_sequence<count>{}) &&
                             !takes_initialisers<T>(std::make_index_sequence<count + 1>{});

/// What a described struct is called; one made of a template has the name of its type in its own:
/// Page<Shield> is PageOfShield.
template <class T>
struct Name {
  static constexpr std::string_view value = T::aegis_name();
};
template <template <class> class Template, Described T>
struct Name<Template<T>> {
  static constexpr auto text = [] {
    constexpr std::array<std::string_view, 3> parts{Template<T>::aegis_name(), "Of",
                                                    Name<T>::value};
    std::array<char, parts[0].size() + parts[1].size() + parts[2].size()> joined{};
    char* end = joined.data();
    for (const std::string_view part : parts) end += part.copy(end, part.size());
    return joined;
  }();
  static constexpr std::string_view value{text.data(), text.size()};
};

template <class T>
struct Fields {
  static constexpr auto list = T::aegis_fields();
  static_assert(has_members<T, list.size()>,
                "AEGIS_FIELDS / AEGIS_TABLE does not list every member of the struct.");
  static const void* defaults() {
    static const T instance{};
    return &instance;
  }
  static constexpr Object object{Name<T>::value, list, &defaults};
};

}  // namespace detail

template <Described T>
const Object& describe() {
  return detail::Fields<T>::object;
}

}  // namespace aegis
