// The reference for PostgreSQL figures: point selects through bare libpq, prepared and binary, on
// one thread. Prints one line of JSON.
//
//   postgres_reference select URL SECONDS     64 in flight: two connections, 32 selects and one
//   Sync
//                                             a batch
//   postgres_reference latency URL SECONDS    one at a time on one connection

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int batch = 32;
constexpr std::int64_t accounts = 100'000;
constexpr unsigned int8_oid = 20;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Connection {
 public:
  explicit Connection(const char* url) : connection_(PQconnectdb(url), &PQfinish) {
    check(PQstatus(connection_.get()) == CONNECTION_OK);
    const PGresult* prepared = PQprepare(
        connection_.get(), "by_id", "SELECT id, balance FROM account WHERE id = $1", 1, &int8_oid);
    check(PQresultStatus(prepared) == PGRES_COMMAND_OK);
    PQclear(const_cast<PGresult*>(prepared));
  }

  int socket() const { return PQsocket(connection_.get()); }

  void send() {
    const auto id = static_cast<std::int64_t>(
        __builtin_bswap64(static_cast<std::uint64_t>(next_++ * 7919 % accounts + 1)));
    const char* values[] = {reinterpret_cast<const char*>(&id)};
    constexpr int lengths[] = {8}, formats[] = {1};
    check(PQsendQueryPrepared(connection_.get(), "by_id", 1, values, lengths, formats, 1) == 1);
  }

  void pipeline() {
    check(PQenterPipelineMode(connection_.get()) == 1);
    PQsetnonblocking(connection_.get(), 1);
  }
  void send_batch() {
    for (int i = 0; i < batch; ++i) send();
    check(PQpipelineSync(connection_.get()) == 1);
    PQflush(connection_.get());
  }
  /// Takes what has arrived; true once the batch is complete.
  bool receive_batch() {
    check(PQconsumeInput(connection_.get()) == 1);
    while (!PQisBusy(connection_.get())) {
      PGresult* result = PQgetResult(connection_.get());
      if (!result) continue;  // the end of one statement
      const ExecStatusType status = PQresultStatus(result);
      if (status == PGRES_TUPLES_OK) read(result);
      PQclear(result);
      if (status == PGRES_PIPELINE_SYNC) return true;
      check(status == PGRES_TUPLES_OK);
    }
    return false;
  }

  void select_one() {
    send();
    while (PGresult* result = PQgetResult(connection_.get())) {
      check(PQresultStatus(result) == PGRES_TUPLES_OK);
      read(result);
      PQclear(result);
    }
  }

 private:
  void read(const PGresult* result) {
    check(PQntuples(result) == 1);
    std::uint64_t balance = 0;
    std::memcpy(&balance, PQgetvalue(result, 0, 1), 8);
    sum_ += __builtin_bswap64(balance);
  }
  void check(bool fine) const {
    if (fine) return;
    std::fprintf(stderr, "postgres_reference: %s\n", PQerrorMessage(connection_.get()));
    std::exit(1);
  }

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  std::int64_t next_ = 0;
  std::uint64_t sum_ = 0;
};

void measure_selects(const char* url, double seconds) {
  std::array<Connection, 2> connections{Connection(url), Connection(url)};
  std::array<pollfd, 2> waiting{};
  for (std::size_t i = 0; i < 2; ++i) {
    connections[i].pipeline();
    connections[i].send_batch();
    waiting[i] = {.fd = connections[i].socket(), .events = POLLIN, .revents = 0};
  }
  const auto start = Clock::now();
  std::int64_t done = 0;
  while (seconds_since(start) < seconds) {
    ::poll(waiting.data(), waiting.size(), -1);
    for (std::size_t i = 0; i < 2; ++i) {
      if (waiting[i].revents == 0 || !connections[i].receive_batch()) continue;
      done += batch;
      connections[i].send_batch();
    }
  }
  std::printf("{\"per_s\": %.0f}\n", static_cast<double>(done) / seconds_since(start));
}

void measure_latency(const char* url, double seconds) {
  Connection connection(url);
  std::vector<double> micros;
  const auto start = Clock::now();
  while (seconds_since(start) < seconds) {
    const auto sent = Clock::now();
    connection.select_one();
    micros.push_back(seconds_since(sent) * 1e6);
  }
  std::ranges::nth_element(micros, micros.begin() + static_cast<std::ptrdiff_t>(micros.size() / 2));
  std::printf("{\"median_us\": %.2f}\n", micros[micros.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s select|latency URL SECONDS\n", argv[0]);
    return 64;
  }
  (std::string_view(argv[1]) == "select" ? measure_selects : measure_latency)(argv[2],
                                                                              std::atof(argv[3]));
}
