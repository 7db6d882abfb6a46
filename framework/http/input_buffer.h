#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace aegis::http {

/// The bytes a connection has received and not used up, contiguous. Room for more may move them.
class InputBuffer {
 public:
  char* data() noexcept { return storage_.get() + begin_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return begin_ == end_; }

  /// Free space behind the bytes, at least one byte of it. Doubles the storage when that is full.
  std::span<char> room() {
    if (end_ == capacity_) {
      if (begin_ > 0) {
        move_to_front();
      } else {
        grow(std::max(first_size, 2 * capacity_));
      }
    }
    return {storage_.get() + end_, capacity_ - end_};
  }
  /// Takes in the first `count` bytes of the room.
  void commit(std::size_t count) noexcept { end_ += count; }

  /// Drops the first `count` bytes; views of the others stay valid.
  void consume(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  /// Drops the bytes from `from` up to `to`; those behind move up.
  void cut(std::size_t from, std::size_t to) noexcept {
    std::memmove(data() + from, data() + to, size() - to);
    end_ -= to - from;
  }
  /// Gives back the storage that a large request took. Only while empty.
  void shrink() noexcept {
    if (capacity_ <= kept_size) return;
    storage_.reset();
    begin_ = end_ = capacity_ = 0;
  }

 private:
  static constexpr std::size_t first_size = 8 * 1024;
  static constexpr std::size_t kept_size = 64 * 1024;

  void move_to_front() noexcept {
    std::memmove(storage_.get(), data(), size());
    end_ -= begin_;
    begin_ = 0;
  }
  void grow(std::size_t capacity) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (!empty()) std::memcpy(larger.get(), data(), size());
    storage_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> storage_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace aegis::http
