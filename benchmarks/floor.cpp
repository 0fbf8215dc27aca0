// The least that any proxy does which sends effects, secondary first: the same messages to both servers as pgtandem's
// dual write, and nothing else. It reads no SQL, keeps no rules, survives nothing: what `./dev bench` holds
// pgtandem against, for what it does not reach no proxy of this protocol does on that machine.
//
// Knows the loads "insert" and "update" of loads.py, prepared. One thread; ends with an error at whatever it does not
// expect.
//   pgtandem_floor LISTEN_PORT SOURCE_PORT TARGET_CONNINFO EPOCH
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr long gather_us = 300;  // as dual_write.gather_us
constexpr std::size_t sessions_max = 256, read_bytes = 16384, frame_header = 5;
constexpr const char* boot = "00000000-0000-4000-8000-000000000001";

struct load {
  const char* begins;  // the client's statement
  const char* returning;
  const char* statement;  // its name on the target
  const char* upsert;
};
constexpr std::array<load, 2> loads{{
    {"INSERT", " RETURNING id, who, note, at", "insert",
     "INSERT INTO bench_insert (id, who, note, at) SELECT u.a::bigint, u.b::int, u.c, u.d::timestamptz FROM "
     "unnest($1::text[], $2::text[], "
     "$3::text[], $4::text[]) AS u(a, b, c, d) ON CONFLICT (id) DO UPDATE SET (who, note, at) = ROW(excluded.who, "
     "excluded.note, "
     "excluded.at)"},
    {"UPDATE", " RETURNING aid, bid, abalance, filler", "update",
     "INSERT INTO pgbench_accounts (aid, bid, abalance, filler) SELECT u.a::int, u.b::int, u.c::int, u.d::bpchar FROM "
     "unnest($1::text[], "
     "$2::text[], $3::text[], $4::text[]) AS u(a, b, c, d) ON CONFLICT (aid) DO UPDATE SET (bid, abalance, filler) = "
     "ROW(excluded.bid, "
     "excluded.abalance, excluded.filler)"},
}};
constexpr std::size_t columns = 4;

enum class step { passing, executing, applying, committing };

struct session {
  int client = -1, server = -1;
  step now = step::passing;
  bool fence_prepared = false;
  const load* what = nullptr;
  std::string input, held;  // of the server: an unfinished frame; what the client hears once it has committed
  std::array<std::string, columns> row;
};

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "floor: %s\n", why.c_str());
  std::exit(1);
}

std::string frame(char type, std::string_view body) {
  const std::uint32_t length = htonl(static_cast<std::uint32_t>(body.size() + 4));
  std::string f(1, type);
  return f.append(reinterpret_cast<const char*>(&length), 4).append(body);
}

std::size_t size_of(std::string_view bytes) {  // of the frame that begins here; 0 = not all of it is there
  if (bytes.size() < frame_header) return 0;
  std::uint32_t length;
  std::memcpy(&length, bytes.data() + 1, 4);
  const std::size_t whole = ntohl(length) + 1;
  return whole <= bytes.size() ? whole : 0;
}

void say(int fd, std::string_view bytes) {
  if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
    die("a peer does not take what it is sent");
}

void without_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

sockaddr_in loopback(int port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  a.sin_port = htons(static_cast<std::uint16_t>(port));
  return a;
}

class proxy {
 public:
  proxy(int listen_port, int source_port, const char* target, std::string epoch);
  void run();

 private:
  enum tag : std::uint64_t { listener, target_socket, timer, first_session };
  void watch(int fd, std::uint64_t what);
  void prepare(const char* name, const char* sql);
  void accept_one();
  void client_says(session& s);
  void primary_says(session& s);
  void target_says();
  void start_group();
  void send_group();

  const int source_port_;
  const std::string epoch_, fence_;
  int epoll_, listener_, timer_;
  PGconn* target_;
  std::deque<session> sessions_;
  std::vector<session*> waiting_, group_;
  std::chrono::steady_clock::time_point oldest_;
  std::size_t expected_ = 0;
  unsigned long ops_ = 0;
};

proxy::proxy(int listen_port, int source_port, const char* target, std::string epoch)
    : source_port_(source_port),
      epoch_(std::move(epoch)),
      fence_(
          "SELECT pg_current_xact_id()::text, (SELECT token::text FROM pgtandem.boot), EXISTS(SELECT FROM "
          "pgtandem.epoch_" +
          epoch_ + ")"),
      epoll_(::epoll_create1(0)),
      listener_(::socket(AF_INET, SOCK_STREAM, 0)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)),
      target_(PQconnectdb(target)) {
  if (PQstatus(target_) != CONNECTION_OK) die(PQerrorMessage(target_));
  PQclear(PQexec(target_,
                 "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; SET "
                 "enable_mergejoin = off"));
  prepare("begin", "BEGIN");
  prepare("commit", "COMMIT");
  prepare("ledger",
          "INSERT INTO pgtandem.ledger (op_id, epoch, kind, boot, source_rev, keys) SELECT u.i::uuid, u.e::integer, "
          "'op', u.b::uuid, '3'::xid8, "
          "u.k::jsonb FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS u(i, e, b, k)");
  for (const load& l : loads) prepare(l.statement, l.upsert);
  if (!PQenterPipelineMode(target_) || PQsetnonblocking(target_, 1) != 0) die("no pipeline mode");
  const int on = 1;
  const sockaddr_in here = loopback(listen_port);
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      ::listen(listener_, SOMAXCONN) != 0)
    die("cannot listen");
  watch(listener_, listener);
  watch(PQsocket(target_), target_socket);
  watch(timer_, timer);
}

void proxy::watch(int fd, std::uint64_t what) {
  epoll_event e{};
  e.events = EPOLLIN;
  e.data.u64 = what;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
}

void proxy::prepare(const char* name, const char* sql) {
  PGresult* r = PQprepare(target_, name, sql, 0, nullptr);
  if (PQresultStatus(r) != PGRES_COMMAND_OK) die(PQresultErrorMessage(r));
  PQclear(r);
}

void proxy::accept_one() {
  auto place = std::ranges::find(sessions_, -1, &session::client);
  if (place == sessions_.end()) {
    if (sessions_.size() == sessions_max) die("too many sessions");
    place = sessions_.emplace(sessions_.end());
  }
  session& s = *place;
  const std::uint64_t what = first_session + 2 * static_cast<std::uint64_t>(place - sessions_.begin());
  s.client = ::accept(listener_, nullptr, nullptr);
  s.server = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in there = loopback(source_port_);
  if (::connect(s.server, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0) die("no source");
  without_delay(s.client);
  without_delay(s.server);
  watch(s.client, what);
  watch(s.server, what + 1);
}

// Parse of a write: with RETURNING. Bind … Sync of it: the fence in front, and Flush in place of Sync.
void proxy::client_says(session& s) {
  if (s.client < 0) return;
  char buffer[read_bytes];
  const ssize_t n = ::recv(s.client, buffer, sizeof buffer, 0);
  if (n <= 0) {
    ::close(s.client);
    ::close(s.server);
    s = session();
    return;
  }
  const std::string_view bytes(buffer, static_cast<std::size_t>(n));
  if (bytes[0] == 'P' && size_of(bytes) != 0) {
    const std::size_t whole = size_of(bytes), name = frame_header, text = bytes.find('\0', name) + 1,
                      end = bytes.find('\0', text);
    for (const load& l : loads) {
      if (!bytes.substr(text).starts_with(l.begins)) continue;
      s.what = &l;
      const std::size_t last = bytes.find_last_not_of("; \n", end - 1) + 1;
      std::string body(bytes.substr(name, last - name));
      body.append(l.returning).append(bytes.substr(end, whole - end));
      return say(s.server, frame('P', body).append(bytes.substr(whole)));
    }
  }
  if (bytes[0] != 'B' || !s.what) return say(s.server, bytes);
  std::string out;
  if (!std::exchange(s.fence_prepared, true))
    out += frame('P', std::string("fence") + '\0' + fence_ + std::string(3, '\0'));
  out += frame('B', std::string("f") + '\0' + "fence" + std::string(7, '\0')) +
         frame('E', std::string("f") + std::string(5, '\0')) + frame('C', std::string("Pf") + '\0');
  out.append(bytes.substr(0, bytes.size() - frame_header)).append(frame('H', ""));
  s.now = step::executing;
  ++expected_;
  say(s.server, out);
}

void proxy::primary_says(session& s) {
  if (s.server < 0) return;  // closed in this very turn
  char buffer[read_bytes];
  const ssize_t n = ::recv(s.server, buffer, sizeof buffer, 0);
  if (n <= 0) return;
  if (s.now == step::passing) return say(s.client, {buffer, static_cast<std::size_t>(n)});
  s.input.append(buffer, static_cast<std::size_t>(n));
  bool executed = false;
  while (const std::size_t whole = size_of(s.input)) {
    const std::string_view f(s.input.data(), whole);
    if (f[0] == 'E') die("the source refuses");
    if (f[0] == 'D') {
      std::size_t at = frame_header + 2;
      for (std::string& field : s.row) {
        std::int32_t length = -1;
        if (at + 4 <= f.size()) std::memcpy(&length, f.data() + at, 4);
        length = static_cast<std::int32_t>(ntohl(static_cast<std::uint32_t>(length)));
        field = length < 0 ? "" : f.substr(at + 4, static_cast<std::size_t>(length));
        at += 4 + static_cast<std::size_t>(std::max(length, 0));
      }
    } else if (f[0] != 'C' || f.substr(frame_header).starts_with(s.what->begins)) {
      executed |= f[0] == 'C';
      s.held.append(f);
    }
    s.input.erase(0, whole);
  }
  if (executed) {
    --expected_;
    s.now = step::applying;
    if (waiting_.empty()) oldest_ = std::chrono::steady_clock::now();
    waiting_.push_back(&s);
  } else if (s.now == step::committing) {
    s.now = step::passing;
    say(s.client, std::exchange(s.held, {}));
  }
}

void proxy::start_group() {
  if (!group_.empty() || waiting_.empty()) return;
  const auto waited = std::chrono::steady_clock::now() - oldest_;
  const auto left = std::chrono::microseconds(gather_us) - waited;
  if (expected_ == 0 || left <= std::chrono::microseconds(0)) return send_group();
  itimerspec t{};
  t.it_value.tv_nsec = std::chrono::nanoseconds(left).count();
  ::timerfd_settime(timer_, 0, &t, nullptr);
}

void proxy::send_group() {
  group_.swap(waiting_);
  std::array<std::string, 4> ledger;
  std::array<std::array<std::string, columns>, loads.size()> rows;
  const auto add = [](std::string& list, std::string_view value) {
    list.append(list.empty() ? "{\"" : ",\"").append(value).append("\"");
  };
  for (const session* s : group_) {
    char id[40];
    std::snprintf(id, sizeof id, "%08lx-0000-7000-8000-%012lx", static_cast<unsigned long>(::getpid()), ++ops_);
    add(ledger[0], id);
    add(ledger[1], epoch_);
    add(ledger[2], boot);
    add(ledger[3], "[{\\\"t\\\": \\\"public.a_table\\\", \\\"k\\\": [\\\"" + s->row[0] + "\\\"]}]");
    for (std::size_t c = 0; c < columns; ++c) add(rows[static_cast<std::size_t>(s->what - loads.data())][c], s->row[c]);
  }
  const auto send = [this](const char* name, std::span<std::string> lists) {
    const char* values[columns];
    for (std::size_t i = 0; i < lists.size(); ++i) values[i] = (lists[i] += '}').c_str();
    if (!PQsendQueryPrepared(target_, name, static_cast<int>(lists.size()), values, nullptr, nullptr, 0))
      die(PQerrorMessage(target_));
  };
  send("begin", {});
  send("ledger", ledger);
  for (std::size_t l = 0; l < loads.size(); ++l)
    if (!rows[l][0].empty()) send(loads[l].statement, rows[l]);
  send("commit", {});
  if (!PQpipelineSync(target_) || PQflush(target_) != 0) die(PQerrorMessage(target_));
}

void proxy::target_says() {
  if (!PQconsumeInput(target_)) die(PQerrorMessage(target_));
  for (int nothing = 0;
       nothing < 2 && !PQisBusy(target_);) {  // a null ends each command's results; two: nothing more is there
    PGresult* r = PQgetResult(target_);
    nothing = r ? 0 : nothing + 1;
    const ExecStatusType status = PQresultStatus(r);
    if (r && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_SYNC)
      die(PQresultErrorMessage(r));
    PQclear(r);
    if (!r || status != PGRES_PIPELINE_SYNC) continue;
    for (session* s : group_) {
      s->now = step::committing;
      say(s->server, frame('S', ""));
    }
    group_.clear();
    return;
  }
}

void proxy::run() {
  std::array<epoll_event, sessions_max> events;
  for (;;) {
    const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < n; ++i) {
      const std::uint64_t what = events[static_cast<std::size_t>(i)].data.u64;
      std::uint64_t ticks;
      if (what == listener)
        accept_one();
      else if (what == target_socket)
        target_says();
      else if (what == timer)
        (void)!::read(timer_, &ticks, sizeof ticks);
      else if ((what - first_session) % 2 == 0)
        client_says(sessions_[(what - first_session) / 2]);
      else
        primary_says(sessions_[(what - first_session) / 2]);
    }
    start_group();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) die("LISTEN_PORT SOURCE_PORT TARGET_CONNINFO EPOCH");
  proxy(std::atoi(argv[1]), std::atoi(argv[2]), argv[3], argv[4]).run();
}
