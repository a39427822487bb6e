// Reading and writing single rows of curation.
#include "curation/rows.h"

#include <algorithm>

#include "tessera/error.h"

namespace tessera::curation {
namespace {

constexpr std::int64_t kNoMarks = 1;  // pack_marks(Marks{})

std::string_view digest_bytes(const ContentHash& hash) {
  return {reinterpret_cast<const char*>(hash.digest.data()), hash.digest.size()};
}

}  // namespace

std::int64_t pack_marks(const Marks& marks) noexcept {
  return static_cast<std::int64_t>(marks.flag) + 1 + 4 * marks.rating + 32 * static_cast<std::int64_t>(marks.label);
}

Marks unpack_marks(std::int64_t packed) noexcept {
  return {static_cast<Flag>(packed % 4 - 1), static_cast<int>(packed / 4 % 8), static_cast<ColorLabel>(packed / 32)};
}

catalog::Statement& Rows::statement(const char* sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) {
    found->second.reset();
    return found->second;
  }
  return statements_.emplace(sql, db_.prepare(sql)).first->second;
}

std::optional<std::int64_t> Rows::first_int(catalog::Statement& statement) {
  std::optional<std::int64_t> value;
  if (statement.step() && !statement.is_null(0)) value = statement.column_int(0);
  statement.reset();
  return value;
}

Value Rows::read(const Cell& cell) {
  catalog::Statement* select = nullptr;
  switch (cell.kind) {
    case StepKind::kMarks:
      select = &statement("SELECT flag + 1 + 4 * rating + 32 * label FROM marks WHERE content = ?1");
      break;
    case StepKind::kTag: select = &statement("SELECT 1 FROM content_tags WHERE content = ?1 AND tag = ?2"); break;
    case StepKind::kMember:
      select = &statement("SELECT position FROM collection_items WHERE content = ?1 AND collection = ?2");
      break;
    case StepKind::kCollectionName: select = &statement("SELECT name FROM collections WHERE id = ?1"); break;
    case StepKind::kCollectionSearch: select = &statement("SELECT search FROM collections WHERE id = ?1"); break;
    case StepKind::kVerdict: select = &statement("SELECT verdict FROM verdicts WHERE a = ?1 AND b = ?2"); break;
  }
  if (select == nullptr) throw Error(ErrorCode::kDamaged, "catalog " + db_.path().string() + ": unknown journal step");
  select->bind(1, cell.a);
  if (cell.kind == StepKind::kTag || cell.kind == StepKind::kMember || cell.kind == StepKind::kVerdict) {
    select->bind(2, cell.b);
  }
  Value value;
  if (select->step()) value = column_value(*select, 0);
  select->reset();
  return value;
}

void Rows::write(const Cell& cell, const Value& value) {
  const std::int64_t* number = std::get_if<std::int64_t>(&value);
  const std::string* text = std::get_if<std::string>(&value);
  switch (cell.kind) {
    case StepKind::kMarks: {
      const Marks marks = unpack_marks(number != nullptr ? *number : kNoMarks);
      if (marks == Marks{}) {
        statement("DELETE FROM marks WHERE content = ?1").bind(1, cell.a).run();
      } else {
        statement("INSERT OR REPLACE INTO marks (content, flag, rating, label) VALUES (?1, ?2, ?3, ?4)")
            .bind(1, cell.a)
            .bind(2, static_cast<int>(marks.flag))
            .bind(3, marks.rating)
            .bind(4, static_cast<int>(marks.label))
            .run();
      }
      return;
    }
    case StepKind::kTag:
      statement(number != nullptr ? "INSERT OR IGNORE INTO content_tags (content, tag) VALUES (?1, ?2)"
                                  : "DELETE FROM content_tags WHERE content = ?1 AND tag = ?2")
          .bind(1, cell.a)
          .bind(2, cell.b)
          .run();
      return;
    case StepKind::kMember:
      if (number != nullptr) {
        statement("INSERT OR REPLACE INTO collection_items (content, collection, position) VALUES (?1, ?2, ?3)")
            .bind(1, cell.a)
            .bind(2, cell.b)
            .bind(3, *number)
            .run();
      } else {
        statement("DELETE FROM collection_items WHERE content = ?1 AND collection = ?2")
            .bind(1, cell.a)
            .bind(2, cell.b)
            .run();
      }
      return;
    case StepKind::kCollectionName: {
      catalog::Statement& update = statement("UPDATE collections SET name = ?2 WHERE id = ?1");
      update.bind(1, cell.a);
      bind_value(update, 2, value);
      update.run();
      return;
    }
    case StepKind::kCollectionSearch:
      statement("UPDATE collections SET search = ?2 WHERE id = ?1")
          .bind(1, cell.a)
          .bind_text(2, text != nullptr ? *text : std::string())
          .run();
      return;
    case StepKind::kVerdict:
      if (number != nullptr) {
        statement("INSERT OR REPLACE INTO verdicts (a, b, verdict) VALUES (?1, ?2, ?3)")
            .bind(1, cell.a)
            .bind(2, cell.b)
            .bind(3, *number)
            .run();
      } else {
        statement("DELETE FROM verdicts WHERE a = ?1 AND b = ?2").bind(1, cell.a).bind(2, cell.b).run();
      }
      return;
  }
  throw Error(ErrorCode::kDamaged, "catalog " + db_.path().string() + ": unknown journal step");
}

std::optional<std::int64_t> Rows::find_content(const ContentHash& hash) {
  return first_int(statement("SELECT id FROM contents WHERE hash = ?1 AND bytes = ?2")
                       .bind_blob(1, digest_bytes(hash))
                       .bind(2, hash.bytes));
}

std::int64_t Rows::content(const ContentHash& hash) {
  if (hash == ContentHash{}) {
    throw Error(ErrorCode::kInvalidArgument, "a file that cannot be read has no content to mark");
  }
  if (const auto id = find_content(hash)) return *id;
  statement("INSERT INTO contents (hash, bytes) VALUES (?1, ?2)")
      .bind_blob(1, digest_bytes(hash))
      .bind(2, hash.bytes)
      .run();
  return db_.last_insert_id();
}

std::int64_t Rows::tag(std::string_view name) {
  if (const auto id = first_int(statement("SELECT id FROM tags WHERE name = ?1").bind_text(1, name))) return *id;
  statement("INSERT INTO tags (name) VALUES (?1)").bind_text(1, name).run();
  return db_.last_insert_id();
}

Value column_value(const catalog::Statement& statement, int column) {
  switch (statement.type(column)) {
    case catalog::ColumnType::kNull: return {};
    case catalog::ColumnType::kInteger: return statement.column_int(column);
    default: return statement.column_string(column);
  }
}

void bind_value(catalog::Statement& statement, int index, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    statement.bind(index, *number);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    statement.bind_text(index, *text);
  } else {
    statement.bind_null(index);
  }
}

ContentHash column_content(const catalog::Statement& statement, int digest, int bytes) {
  ContentHash hash;
  const std::string_view stored = statement.column_bytes(digest);
  std::copy_n(stored.begin(), std::min(stored.size(), hash.digest.size()), hash.digest.begin());
  hash.bytes = static_cast<std::uint64_t>(statement.column_int(bytes));
  return hash;
}

}  // namespace tessera::curation
