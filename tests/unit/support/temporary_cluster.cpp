#include "tests/unit/support/temporary_cluster.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/unit/support/free_port.hpp"

namespace pgtandem::test {

namespace {

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot run " + command);
  std::array<char, 4096> buffer;
  while (std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  if (status != 0) throw std::runtime_error(command + " failed: " + text);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

void run_as_server(const std::string& command) {
  const std::string prefix = ::geteuid() == 0 ? "cd / && runuser -u postgres -- " : "";
  output_of(prefix + command + " 2>&1 </dev/null");
}

struct process {
  int parent = 0;  // 0: there is none
  char state = 0;
};

process look_at(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  process found;
  const auto end = line.rfind(')');
  if (end != std::string::npos) std::sscanf(line.c_str() + end + 1, " %c %d", &found.state, &found.parent);
  return found;
}

// A zombie is gone: when init reaps it is its business.
bool is_running(int pid) {
  const char state = look_at(pid).state;
  return state && state != 'Z' && state != 'X';
}

template <typename condition>
void wait_at_most(int ms, condition holds) {
  for (int n = 0; n < ms && !holds(); ++n) ::usleep(1000);
}

constexpr int kill_ms = 5000;  // for the kernel to end a process after SIGKILL, and for init to reap it

}  // namespace

temporary_cluster::temporary_cluster(const settings& extra) {
  char name[] = "/tmp/pgtandem_test_XXXXXX";
  if (!::mkdtemp(name)) throw std::runtime_error("no temporary folder");
  folder_ = name;
  ::chmod(name, 0755);
  if (::geteuid() == 0) output_of("chown postgres " + folder_);
  bin_ = output_of("pg_config --bindir") + "/";
  port_ = free_port();
  run_as_server(bin_ + "initdb -D " + folder_ + "/data -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync");
  std::ofstream conf(folder_ + "/data/postgresql.conf", std::ios::app);
  conf << "listen_addresses = '127.0.0.1'\nport = " << port_ << "\nunix_socket_directories = '" << folder_
       << "'\nfsync = off\nfull_page_writes = off\nshared_buffers = 32MB\nmax_connections = "
          "60\nmax_locks_per_transaction = 256\nlog_min_messages = "
          "warning\n";
  for (const auto& [key, value] : extra) conf << key << " = '" << value << "'\n";
  conf.close();
  start();
}

temporary_cluster::~temporary_cluster() {
  try {
    thaw();
    kill_processes();
    std::filesystem::remove_all(folder_);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
  }
}

std::string temporary_cluster::conninfo(const std::string& database) const {
  return "host=" + folder_ + " port=" + std::to_string(port_) + " user=postgres dbname=" + database;
}
std::string temporary_cluster::tcp_conninfo(const std::string& database) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=postgres dbname=" + database;
}

void temporary_cluster::start() {
  run_as_server(bin_ + "pg_ctl -D " + folder_ + "/data -l " + folder_ + "/log -w -t 30 start");
}
void temporary_cluster::stop() { run_as_server(bin_ + "pg_ctl -D " + folder_ + "/data -m fast -w -t 30 stop"); }

std::vector<int> temporary_cluster::processes() const {
  std::ifstream file(folder_ + "/data/postmaster.pid");
  int postmaster = 0;
  if (!(file >> postmaster) || postmaster <= 1 || ::kill(postmaster, 0) != 0) return {};
  std::vector<int> found{postmaster};
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid > 1 && look_at(pid).parent == postmaster) found.push_back(pid);
  }
  return found;
}

int temporary_cluster::kill_processes() {
  const std::vector<int> all = processes();
  for (int pid : all) ::kill(pid, SIGKILL);
  for (int pid : all) wait_at_most(kill_ms, [pid] { return !is_running(pid); });
  return all.empty() ? 0 : all.front();
}

void temporary_cluster::kill() {
  // A postmaster that init has not reaped yet would keep the next one from starting.
  if (const int postmaster = kill_processes())
    wait_at_most(kill_ms, [postmaster] { return ::kill(postmaster, 0) != 0; });
}

void temporary_cluster::freeze() {
  for (int pid : processes()) ::kill(pid, SIGSTOP);
  frozen_ = true;
}

void temporary_cluster::thaw() {
  if (!frozen_) return;
  for (int pid : processes()) ::kill(pid, SIGCONT);
  frozen_ = false;
}

}  // namespace pgtandem::test
