#include "db/condition.h"

#include <iterator>

namespace aegis {
namespace {

using Node = Condition::Node;

Condition make(Node node) {
  return Condition(std::make_shared<const Node>(std::move(node)));
}

/// `a` and `b` under one `op`; their own children when they are of that `op` already.
Condition join(Node::Op op, const Condition& a, const Condition& b) {
  Node joined{.op = op};
  for (const Condition& part : {a, b}) {
    if (part.node()->op == op) {
      const auto& children = part.node()->children;
      joined.children.insert(joined.children.end(), children.begin(), children.end());
    } else {
      joined.children.push_back(part);
    }
  }
  return make(std::move(joined));
}

}  // namespace

Condition::Condition() noexcept = default;
Condition::Condition(const Condition&) noexcept = default;
Condition::Condition(Condition&&) noexcept = default;
Condition& Condition::operator=(const Condition&) noexcept = default;
Condition& Condition::operator=(Condition&&) noexcept = default;
Condition::~Condition() = default;

Condition::Condition(std::shared_ptr<const Node> node) noexcept : node_(std::move(node)) {}

Condition operator&&(Condition a, Condition b) {
  if (!a.node()) return b;
  if (!b.node()) return a;
  return join(Node::Op::all_of, a, b);
}

Condition operator||(Condition a, Condition b) {
  if (!a.node() || !b.node()) return {};
  return join(Node::Op::any_of, a, b);
}

Condition operator!(Condition a) {
  if (!a.node()) return make({.op = Node::Op::any_of});
  const Node& node = *a.node();
  if (node.op == Node::Op::negate) return node.children.front();
  if (node.op == Node::Op::any_of && node.children.empty()) return {};

  using enum detail::Comparison;
  const auto opposite = [&](detail::Comparison comparison) {
    Node other = node;
    other.comparison = comparison;
    return make(std::move(other));
  };
  if (node.op == Node::Op::compare) {
    switch (node.comparison) {
      case eq:
        return opposite(ne);
      case ne:
        return opposite(eq);
      case is_null:
        return opposite(not_null);
      case not_null:
        return opposite(is_null);
      default:
        break;
    }
  }
  return make({.op = Node::Op::negate, .children = {std::move(a)}});
}

namespace detail {

Condition compare(Comparison op, const Object& owner, std::string_view column, const Cell& value) {
  Node node{.op = Node::Op::compare, .comparison = op, .owner = &owner, .column = column};
  node.values.push_back(to_value(value));
  return make(std::move(node));
}

Condition compare_null(Comparison op, const Object& owner, std::string_view column) {
  return make({.op = Node::Op::compare, .comparison = op, .owner = &owner, .column = column});
}

Condition compare_in(const Object& owner, std::string_view column, const Type& type,
                     const void* values, std::size_t count, std::size_t stride) {
  Node node{
      .op = Node::Op::compare, .comparison = Comparison::in, .owner = &owner, .column = column};
  node.values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    node.values.push_back(
        to_value(type.to_cell(static_cast<const std::byte*>(values) + i * stride)));
  }
  return make(std::move(node));
}

}  // namespace detail
}  // namespace aegis
