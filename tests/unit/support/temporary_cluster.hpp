// A PostgreSQL server of its own for a test: made in a temporary folder, on a free loopback port and a Unix socket,
// with trust authentication and no fsync; stopped and removed by the destructor. Run as root it runs the server as the
// user postgres. Failures to make or start it are std::runtime_error (the test cannot go on).
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace pgtandem::test {

class temporary_cluster {
 public:
  using settings = std::vector<std::pair<std::string, std::string>>;  // of postgresql.conf
  explicit temporary_cluster(const settings& extra = {});
  ~temporary_cluster();
  temporary_cluster(const temporary_cluster&) = delete;
  temporary_cluster& operator=(const temporary_cluster&) = delete;

  std::string conninfo(const std::string& database = "postgres") const;      // over the Unix socket
  std::string tcp_conninfo(const std::string& database = "postgres") const;  // over 127.0.0.1
  int port() const { return port_; }
  const std::string& socket_folder() const { return folder_; }

  void start();   // waits until it accepts connections
  void stop();    // fast
  void kill();    // SIGKILL of every process: a crash
  void freeze();  // SIGSTOP of every process
  void thaw();

 private:
  std::vector<int> processes() const;  // postmaster first
  int kill_processes();                // waits until none runs; the postmaster, 0 if there was none
  std::string folder_, bin_;
  int port_ = 0;
  bool frozen_ = false;
};

}  // namespace pgtandem::test
