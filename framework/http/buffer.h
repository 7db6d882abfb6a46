#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace aegis::http {

/// Bytes that have come in or shall go out, contiguous: added behind, used up from the front. Room
/// for more is not initialised, and making it may move them.
class Buffer {
 public:
  /// The first storage is of `first_size` bytes, or of what is needed then.
  explicit Buffer(std::size_t first_size) : first_size_(first_size) {}

  char* data() noexcept { return storage_.get() + begin_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return begin_ == end_; }
  std::string_view text() const noexcept { return {storage_.get() + begin_, size()}; }

  /// All the free space behind the bytes, `at_least` of it.
  std::span<char> room(std::size_t at_least = 1) {
    if (capacity_ - end_ < at_least) make_room(at_least);
    return {storage_.get() + end_, capacity_ - end_};
  }
  /// Takes in the first `count` bytes of the room.
  void commit(std::size_t count) noexcept { end_ += count; }
  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(room(bytes.size()).data(), bytes.data(), bytes.size());
    commit(bytes.size());
  }

  /// Drops the first `count` bytes; views of the others stay valid.
  void consume(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void clear() noexcept { consume(size()); }
  /// Drops the bytes from `from` up to `to`; those behind move up.
  void cut(std::size_t from, std::size_t to) noexcept {
    std::memmove(data() + from, data() + to, size() - to);
    end_ -= to - from;
  }
  /// Gives back the storage that something large took. Only while empty.
  void shrink() noexcept {
    if (capacity_ <= kept_size) return;
    storage_.reset();
    begin_ = end_ = capacity_ = 0;
  }

 private:
  static constexpr std::size_t kept_size = 64 * 1024;

  /// Moves the bytes to the front; to storage of twice the size when that is not enough.
  void make_room(std::size_t at_least) {
    const std::size_t needed = size() + at_least;
    if (needed > capacity_) {
      const std::size_t capacity = std::max({first_size_, 2 * capacity_, needed});
      auto larger = std::make_unique_for_overwrite<char[]>(capacity);
      if (!empty()) std::memcpy(larger.get(), data(), size());
      storage_ = std::move(larger);
      capacity_ = capacity;
    } else {
      std::memmove(storage_.get(), data(), size());
    }
    end_ -= begin_;
    begin_ = 0;
  }

  const std::size_t first_size_;
  std::unique_ptr<char[]> storage_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace aegis::http
