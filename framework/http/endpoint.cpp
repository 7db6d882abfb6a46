#include "aegis/http/endpoint.h"

#include <cstddef>
#include <new>

#include "aegis/http/handler.h"
#include "http/failure.h"

namespace aegis {
namespace {

/// A handler's inputs, inside the coroutine that holds this where they fit.
class Inputs {
 public:
  explicit Inputs(const detail::Handler& handler) : handler_(handler) {
    if (!fits()) address_ = ::operator new(handler.inputs_size, alignment());
    try {
      handler_.construct(address_);
    } catch (...) {
      release();
      throw;
    }
  }
  ~Inputs() {
    handler_.destroy(address_);
    release();
  }
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;

  void* get() { return address_; }

 private:
  bool fits() const {
    return handler_.inputs_size <= sizeof(memory_) &&
           handler_.inputs_alignment <= alignof(std::max_align_t);
  }
  std::align_val_t alignment() const { return std::align_val_t{handler_.inputs_alignment}; }
  void release() {
    if (!fits()) ::operator delete(address_, alignment());
  }

  const detail::Handler& handler_;
  alignas(std::max_align_t) std::byte memory_[320];
  void* address_ = memory_;
};

}  // namespace

Endpoint::Endpoint(Method m, std::string_view pattern, std::unique_ptr<const detail::Handler> h)
    : method(m), path(pattern), handler(std::move(h)) {
  handler->describe(*this);
}

Endpoint::~Endpoint() = default;

awaitable<Response> Endpoint::answer(Request& request) const {
  std::exception_ptr failure;
  try {
    Inputs inputs(*handler);
    BindErrors errors;
    handler->bind(inputs.get(), request, errors);
    if (!errors.none()) co_return errors.response();
    auto run = [&] { return handler->run(inputs.get(), request); };
    co_return co_await handler->around(inputs.get(), request, run);
  } catch (...) {
    failure = std::current_exception();
  }
  co_return co_await http::reply_to_failure(std::move(failure), request);
}

Endpoint& Endpoint::summary(std::string text) {
  summary_text = std::move(text);
  return *this;
}

Endpoint& Endpoint::tag(std::string name) {
  tags.push_back(std::move(name));
  return *this;
}

Endpoint& Endpoint::hide() {
  hidden = true;
  return *this;
}

}  // namespace aegis
