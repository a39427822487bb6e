// The journal: changes as entries of steps that can be taken back and done again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "curation/rows.h"

namespace tessera::curation {

std::int64_t now_ns();

// One change: a write transaction that notes each row it changes. Rolled back unless committed.
class Change {
 public:
  explicit Change(Rows& rows) : rows_(rows), transaction_(rows.db(), catalog::Transaction::Kind::kWrite) {}

  // Sets a row and notes it; false if it has that value already.
  bool set(const Cell& cell, const Value& value);
  bool changed() const { return entry_ != 0; }
  // Without any change nothing is written. The title says what was done.
  void commit(std::string_view title);

 private:
  Rows& rows_;
  catalog::Transaction transaction_;
  JournalId entry_ = 0;
  std::int64_t steps_ = 0;
};

// Within the caller's transaction: a new entry, after what was undone has been discarded.
JournalId add_entry(Rows& rows, std::string_view title, EntryState state);
void set_entry_state(Rows& rows, JournalId id, EntryState state);
std::int64_t generation(Rows& rows);
void next_generation(Rows& rows);

std::optional<JournalEntry> last_done(Rows& rows);
std::optional<JournalEntry> first_undone(Rows& rows);
std::vector<JournalEntry> entries(Rows& rows, std::size_t most);

enum class Direction { kUndo, kRedo };
// Puts back the rows of an entry, within the caller's transaction.
void replay(Rows& rows, JournalId entry, Direction direction);

}  // namespace tessera::curation
