#include "load.h"

#include <algorithm>
#include <boost/asio/use_awaitable.hpp>

using namespace aegis;
using namespace std::chrono_literals;

namespace {

constexpr int workers_per_core = 8;
constexpr auto hang = 60s;        // nothing lasts that long, even under a sanitizer
constexpr auto blocked = 2000ms;  // an I/O thread that does nothing for so long was blocked

}  // namespace

Load::Load(DatabaseOptions options)
    : runtime_(std::make_unique<Runtime>(RuntimeOptions{.threads = 2, .handle_signals = false})),
      database_(std::make_unique<Database>(*runtime_, std::move(options))) {
  runtime_->on_stop("database", [this] { return database_->close(); });
  const std::vector<const Table*> tables{&table_of<Entry>()};
  runtime_->spawn(0, database_->create_all(tables), "create");
  thread_ = std::thread([this] { runtime_->run(); });
  for (std::size_t core = 0; core < 2; ++core) {
    runtime_->spawn(core, beat(core), "beat");
    for (int i = 0; i < workers_per_core; ++i) {
      ++working_;
      runtime_->spawn(core, work(core, static_cast<int>(core) * workers_per_core + i), "worker");
    }
  }
}

Load::~Load() {
  ending_ = true;
  runtime_->shutdown();
  thread_.join();
}

awaitable<void> Load::work(std::size_t core, int worker) {
  boost::asio::steady_timer pause(runtime_->executor(core));
  for (int number = 0; !ending_; ++number) {
    const std::string name = std::to_string(worker) + "-" + std::to_string(number);
    std::string failure;
    try {
      std::int64_t id = 0;
      auto write = [&](Session& s) -> awaitable<void> {
        Entry entry{.name = name};
        co_await s.insert(entry);
        id = *entry.id;
      };
      co_await database_->session(write);
      {
        const std::lock_guard lock(mutex_);
        acknowledged_.insert(name);
      }
      auto read = [&](Session& s) -> awaitable<Entry> { return s.get<Entry>(id); };
      const Entry entry = co_await database_->read(read);
      const std::lock_guard lock(mutex_);
      ++reads_;
      if (entry.name != name) wrong_ += "; " + name + " was answered with " + entry.name;
    } catch (const Error& error) {
      failure = error.what();
      const std::lock_guard lock(mutex_);
      ++failures_;
      ++errors_[std::string(to_string(error.code())) + ": " + failure];
      if (error.code() == Errc::unknown_outcome) unknown_.insert(name);
    } catch (const std::exception& error) {
      failure = error.what();
      const std::lock_guard lock(mutex_);
      wrong_ += "; not an Error: " + failure;
    }
    changed_.notify_all();
    if (!failure.empty()) {
      pause.expires_after(5ms);
      co_await pause.async_wait(boost::asio::use_awaitable);
    }
  }
  const std::lock_guard lock(mutex_);
  --working_;
  changed_.notify_all();
}

awaitable<void> Load::beat(std::size_t core) {
  boost::asio::steady_timer timer(runtime_->executor(core));
  while (!ending_) {
    const auto began = std::chrono::steady_clock::now();
    timer.expires_after(20ms);
    co_await timer.async_wait(boost::asio::use_awaitable);
    if (std::chrono::steady_clock::now() - began < blocked) continue;
    const std::lock_guard lock(mutex_);
    wrong_ += "; an I/O thread was blocked";
  }
}

bool Load::await(const std::function<bool()>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, hang, condition);
}

void Load::await_success(int more) {
  std::unique_lock lock(mutex_);
  const std::size_t writes = acknowledged_.size() + static_cast<std::size_t>(more);
  const int reads = reads_ + more;
  lock.unlock();
  const auto began = std::chrono::steady_clock::now();
  BOOST_REQUIRE_MESSAGE(await([&] { return acknowledged_.size() >= writes && reads_ >= reads; }),
                        "no success within a minute");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  BOOST_TEST_MESSAGE(more << " more successes after " << took.count() << " s");
}

void Load::await_errors(int more) {
  std::unique_lock lock(mutex_);
  const int failures = failures_ + more;
  lock.unlock();
  BOOST_REQUIRE_MESSAGE(await([&] { return failures_ >= failures; }), "no error within a minute");
}

void Load::finish() {
  ending_ = true;
  BOOST_REQUIRE_MESSAGE(await([&] { return working_ == 0; }), "a session hangs");
  const std::lock_guard lock(mutex_);
  BOOST_TEST(wrong_ == "");
  BOOST_TEST_MESSAGE(acknowledged_.size() << " acknowledged, " << unknown_.size() << " unknown");
  for (const auto& [message, count] : errors_) BOOST_TEST_MESSAGE(count << " × " << message);
}

void Load::check_ledger(const std::vector<std::string>& stored) {
  const std::lock_guard lock(mutex_);
  const std::set<std::string> once(stored.begin(), stored.end());
  BOOST_TEST(once.size() == stored.size(), "a write is there twice");
  for (const std::string& name : acknowledged_) {
    BOOST_TEST(once.contains(name), name << " was acknowledged and is not there");
  }
  for (const std::string& name : once) {
    BOOST_TEST((acknowledged_.contains(name) || unknown_.contains(name)),
               name << " is there and was told to have failed");
  }
}
