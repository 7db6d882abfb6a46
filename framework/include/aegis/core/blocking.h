#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "aegis/core/awaitable.h"

namespace aegis {
namespace detail {

class BlockingCall {
 public:
  virtual ~BlockingCall() = default;
  virtual void run() noexcept = 0;
};

template <typename F, typename Result>
class BlockingCallOf final : public BlockingCall {
 public:
  explicit BlockingCallOf(F&& f) : f_(std::move(f)) {}

  void run() noexcept override {
    try {
      if constexpr (std::is_void_v<Result>) {
        f_();
      } else {
        result_.emplace(f_());
      }
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  Result take() {
    if (error_) std::rethrow_exception(error_);
    if constexpr (!std::is_void_v<Result>) return std::move(*result_);
  }

 private:
  struct Nothing {};
  F f_;
  std::optional<std::conditional_t<std::is_void_v<Result>, Nothing, Result>> result_;
  std::exception_ptr error_;
};

awaitable<void> run_blocking(std::shared_ptr<BlockingCall> call);

}  // namespace detail

/// Runs `f`, which may block (files, name resolution), on a small thread pool shared by the
/// process, and resumes on the caller's executor with what it returns or throws.
///
/// `f` must own what it uses: after a cancellation, or when the caller's frame is destroyed, it
/// runs to its end all the same and its result is dropped. Throws boost::system::system_error
/// (operation_aborted) when cancelled.
template <typename F>
awaitable<std::invoke_result_t<F&>> run_blocking(F f) {
  using Result = std::invoke_result_t<F&>;
  static_assert(!std::is_reference_v<Result>,
                "f returns a value: a reference may outlive its owner");
  const auto call = std::make_shared<detail::BlockingCallOf<F, Result>>(std::move(f));
  co_await detail::run_blocking(call);
  co_return call->take();
}

}  // namespace aegis
