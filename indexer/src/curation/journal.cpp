// Entries and steps of the journal.
#include "curation/journal.h"

#include <chrono>

namespace tessera::curation {
namespace {

JournalEntry read_entry(const catalog::Statement& row) {
  return {row.column_int(0), row.column_int(1), row.column_string(2), static_cast<EntryState>(row.column_int(3)), {}};
}

std::optional<JournalEntry> one_entry(catalog::Statement& select) {
  std::optional<JournalEntry> entry;
  if (select.step()) entry = read_entry(select);
  select.reset();
  return entry;
}

struct Step {
  Cell cell;
  Value value;
};

}  // namespace

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool Change::set(const Cell& cell, const Value& value) {
  const Value before = rows_.read(cell);
  if (before == value) return false;
  if (entry_ == 0) entry_ = add_entry(rows_, "", EntryState::kDone);
  rows_.write(cell, value);
  catalog::Statement& insert = rows_.statement(
      "INSERT INTO journal_steps (entry, step, kind, a, b, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  insert.bind(1, entry_).bind(2, ++steps_).bind(3, static_cast<int>(cell.kind)).bind(4, cell.a).bind(5, cell.b);
  bind_value(insert, 6, before);
  bind_value(insert, 7, value);
  insert.run();
  return true;
}

void Change::commit(std::string_view title) {
  if (entry_ == 0) return;
  rows_.statement("UPDATE journal SET title = ?2 WHERE id = ?1").bind(1, entry_).bind_text(2, title).run();
  next_generation(rows_);
  transaction_.commit();
}

JournalId add_entry(Rows& rows, std::string_view title, EntryState state) {
  rows.statement("UPDATE journal SET state = ?2 WHERE state = ?1")
      .bind(1, static_cast<int>(EntryState::kUndone))
      .bind(2, static_cast<int>(EntryState::kDiscarded))
      .run();
  rows.statement("INSERT INTO journal (time_ns, title, state) VALUES (?1, ?2, ?3)")
      .bind(1, now_ns())
      .bind_text(2, title)
      .bind(3, static_cast<int>(state))
      .run();
  return rows.db().last_insert_id();
}

void set_entry_state(Rows& rows, JournalId id, EntryState state) {
  rows.statement("UPDATE journal SET state = ?2 WHERE id = ?1").bind(1, id).bind(2, static_cast<int>(state)).run();
}

std::int64_t generation(Rows& rows) {
  catalog::Statement& select = rows.statement("SELECT value FROM settings WHERE key = 'curation.generation'");
  const std::int64_t value = select.step() ? select.column_int(0) : 0;
  select.reset();
  return value;
}

void next_generation(Rows& rows) {
  rows.statement(
          "INSERT INTO settings VALUES ('curation.generation', '1') ON CONFLICT (key) DO UPDATE SET "
          "value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)")
      .run();
}

std::optional<JournalEntry> last_done(Rows& rows) {
  return one_entry(rows.statement("SELECT id, time_ns, title, state FROM journal WHERE state = ?1 ORDER BY id DESC")
                       .bind(1, static_cast<int>(EntryState::kDone)));
}

std::optional<JournalEntry> first_undone(Rows& rows) {
  return one_entry(rows.statement("SELECT id, time_ns, title, state FROM journal WHERE state = ?1 ORDER BY id")
                       .bind(1, static_cast<int>(EntryState::kUndone)));
}

std::vector<JournalEntry> entries(Rows& rows, std::size_t most) {
  catalog::Statement& select =
      rows.statement("SELECT id, time_ns, title, state FROM journal ORDER BY id DESC LIMIT ?1");
  select.bind(1, static_cast<std::uint64_t>(most));
  std::vector<JournalEntry> found;
  while (select.step()) found.push_back(read_entry(select));
  select.reset();
  return found;
}

void replay(Rows& rows, JournalId entry, Direction direction) {
  const bool undo = direction == Direction::kUndo;
  catalog::Statement& select =
      rows.statement(undo ? "SELECT kind, a, b, before FROM journal_steps WHERE entry = ?1 ORDER BY step DESC"
                          : "SELECT kind, a, b, after FROM journal_steps WHERE entry = ?1 ORDER BY step");
  select.bind(1, entry);
  std::vector<Step> steps;
  while (select.step()) {
    steps.push_back({{static_cast<StepKind>(select.column_int(0)), select.column_int(1), select.column_int(2)},
                     column_value(select, 3)});
  }
  select.reset();
  for (const Step& step : steps) rows.write(step.cell, step.value);
}

}  // namespace tessera::curation
