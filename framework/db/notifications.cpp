#include "db/notifications.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "aegis/core/error.h"

namespace aegis::db {
namespace {

constexpr std::size_t longest_channel = 63;    // bytes, of an identifier of PostgreSQL's
constexpr std::size_t longest_payload = 7999;  // bytes, PostgreSQL's limit
constexpr std::size_t most_waiting = 1000;

/// To be woken when the lock is released.
using Sleepers = std::vector<Wakeup::Handle>;

void wake(const Sleepers& sleepers) {
  for (const auto& sleeper : sleepers) sleeper.notify();
}

bool is_channel_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == ':';
}

}  // namespace

void check_channel(std::string_view channel) {
  if (!channel.empty() && channel.size() <= longest_channel &&
      std::ranges::all_of(channel, is_channel_character)) {
    return;
  }
  throw Error(Errc::invalid, fmt::format("\"{}\" is no channel: a name has 1 to {} letters (a-z, "
                                         "A-Z), digits and the characters _ - . :",
                                         channel, longest_channel));
}

void check_payload(std::string_view payload) {
  if (payload.size() > longest_payload) {
    throw Error(Errc::invalid,
                fmt::format("A notification carries {} bytes at most, not {}: store the rest in a "
                            "table, and send its key.",
                            longest_payload, payload.size()));
  }
  if (payload.find('\0') != payload.npos) {
    throw Error(Errc::invalid, "A notification's payload is text; this one has a zero byte.");
  }
}

Inbox::~Inbox() {
  source_->forget(*this);
}

awaitable<Notification> Inbox::next(std::shared_ptr<Inbox> self) {
  const auto executor = co_await boost::asio::this_coro::executor;
  for (;;) {
    source_->attend(executor);
    std::shared_ptr<Wakeup> wakeup;
    {
      const std::lock_guard lock(source_->mutex_);
      if (!waiting_.empty()) {
        Notification first = std::move(waiting_.front());
        waiting_.pop_front();
        co_return first;
      }
      if (source_->closed_) throw Error(Errc::unavailable, "The database is closed.");
      wakeup = std::make_shared<Wakeup>(executor);
      sleeper_ = wakeup->handle();
    }
    co_await wakeup->wait();
  }
}

std::shared_ptr<Inbox> Notifications::open(std::vector<std::string> channels) {
  if (channels.empty()) throw Error(Errc::invalid, "A listener needs a channel, at least one.");
  for (const auto& channel : channels) check_channel(channel);
  auto inbox = std::make_shared<Inbox>(shared_from_this(), std::move(channels));
  {
    const std::lock_guard lock(mutex_);
    inboxes_.push_back(inbox.get());
  }
  channels_changed();
  return inbox;
}

void Notifications::forget(const Inbox& inbox) {
  {
    const std::lock_guard lock(mutex_);
    std::erase(inboxes_, &inbox);
  }
  channels_changed();
}

std::set<std::string> Notifications::channels() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> all;
  for (const Inbox* inbox : inboxes_) all.insert(inbox->channels_.begin(), inbox->channels_.end());
  return all;
}

void Notifications::deliver(std::string_view channel, std::string_view payload) {
  Sleepers sleepers;
  {
    const std::lock_guard lock(mutex_);
    for (Inbox* inbox : inboxes_) {
      if (!inbox->in_force_ ||
          std::ranges::find(inbox->channels_, channel) == inbox->channels_.end())
        continue;
      if (inbox->waiting_.size() >= most_waiting) {
        inbox->waiting_.clear();
        inbox->waiting_.push_back({.missed = true});
      } else {
        inbox->waiting_.push_back({std::string(channel), std::string(payload)});
      }
      if (inbox->sleeper_) sleepers.push_back(*std::exchange(inbox->sleeper_, std::nullopt));
    }
  }
  wake(sleepers);
}

void Notifications::in_force(const std::set<std::string>& channels) {
  Sleepers sleepers;
  {
    const std::lock_guard lock(mutex_);
    for (Inbox* inbox : inboxes_) {
      const auto heard = [&](const std::string& channel) { return channels.contains(channel); };
      if (inbox->in_force_ || !std::ranges::all_of(inbox->channels_, heard)) continue;
      inbox->in_force_ = true;
      inbox->waiting_.push_back({.missed = true});
      if (inbox->sleeper_) sleepers.push_back(*std::exchange(inbox->sleeper_, std::nullopt));
    }
  }
  wake(sleepers);
}

void Notifications::interrupted() {
  Sleepers sleepers;
  {
    const std::lock_guard lock(mutex_);
    for (Inbox* inbox : inboxes_) {
      inbox->in_force_ = false;
      if (inbox->sleeper_) sleepers.push_back(*std::exchange(inbox->sleeper_, std::nullopt));
    }
  }
  wake(sleepers);
}

void Notifications::close() {
  Sleepers sleepers;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (Inbox* inbox : inboxes_) {
      if (inbox->sleeper_) sleepers.push_back(*std::exchange(inbox->sleeper_, std::nullopt));
    }
  }
  wake(sleepers);
}

}  // namespace aegis::db

namespace aegis {

Listener::Listener(std::shared_ptr<db::Inbox> inbox) : inbox_(std::move(inbox)) {}
Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&&) noexcept = default;
Listener::~Listener() = default;

awaitable<Notification> Listener::next() {
  return inbox_->next(inbox_);
}

}  // namespace aegis
