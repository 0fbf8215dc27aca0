// A primary for transcript tests: reads frontend messages and answers as PostgreSQL does, from a table of statements.
//
// It keeps what the rules of a session depend on: the transaction's state, skipping to Sync after an error, prepared statements and
// portals, implicit transactions. What a statement answers is looked up by the text's first words; everything it was asked is noted.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem::test {

struct reply_rows {
  std::vector<std::string> columns;                 // empty: no result set
  std::vector<std::vector<std::string>> rows;
  std::string tag = "SELECT 0";
  std::string error;                                // SQLSTATE: fails instead
  std::vector<std::string> parameter = {};          // ParameterStatus said before ReadyForQuery: name, value
};

class fake_primary {
 public:
  // Answers for texts that contain the key; the first match in order of insertion.
  void when(std::string contains, reply_rows r) { answers_.push_back({std::move(contains), std::move(r)}); }
  // Goes before the others until it is taken back.
  void for_now(std::string contains, reply_rows r) { passing_.push_back({std::move(contains), std::move(r)}); }
  void no_more() { passing_.clear(); }
  // The answer to the next COMMIT, once.
  void fail_commit(std::string sqlstate) { commit_error_ = std::move(sqlstate); }
  void drop_epoch() { epoch_gone_ = true; }

  // Whether a statement of this name is prepared.
  bool has(const std::string& statement) const { return statements_.count(statement) != 0; }

  // Bytes of the proxy; the answers are appended to `out`. Only what may be seen after a Flush, Sync or Query leaves it.
  void receive(std::string_view bytes, std::string& out);

  std::map<std::string, std::string> bound;   // by text: the parameters of its last Bind, as they were sent
  std::vector<std::string> heard;   // texts executed, in order; COMMITs of implicit transactions as "(commit)"
  char status = 'I';
  int copied = 0;                   // CopyData taken by COPY … FROM STDIN
  bool once_per_portal = false;     // a portal that has run has no rows left, "UPDATE 0", or cannot be run again
  int mute_after = -1;              // messages after which it hears nothing any more; negative: never

 private:
  struct portal {
    std::string text;
  };
  void message(char type, std::string_view body);
  void query(std::string_view sql);
  void statements(std::vector<std::string> parts);
  void copy(char type);
  bool run(const std::string& sql, bool describe_rows, bool implicit);
  const reply_rows* lookup(const std::string& sql) const;
  void fail(const std::string& sqlstate, std::string_view words = "said by the fake primary");
  void again(const std::string& portal, const std::string& sql);
  void warn(const std::string& sqlstate);
  void begin_implicit();

  std::vector<std::pair<std::string, reply_rows>> answers_, passing_;
  std::map<std::string, std::string> statements_, portals_;
  std::set<std::string> run_;   // portals
  std::vector<std::string> reported_;
  std::string in_, pending_, commit_error_;
  std::string copying_;         // COPY … FROM STDIN takes data: the type of the message that it came by
  std::vector<std::string> behind_copy_;   // the rest of its string
  bool skipping_ = false, epoch_gone_ = false, implicit_ = false, replica_role_ = false;
};

}  // namespace pgtandem::test
