// The rows of curation as values that can be read, written and put back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include "catalog/sqlite.h"
#include "tessera/indexer/curation.h"

namespace tessera::curation {

// journal_steps.kind. What `a`, `b` and the values are:
enum class StepKind {
  kMarks = 1,             // content, -; pack_marks(), none = no marks
  kTag = 2,               // content, tag; 1 or none
  kMember = 3,            // content, collection; position or none
  kCollectionName = 4,    // collection, -; text, none = removed
  kCollectionSearch = 5,  // collection, -; text
  kVerdict = 6,           // the smaller content, the larger; Verdict or none
};

using Value = std::variant<std::monostate, std::int64_t, std::string>;

struct Cell {
  StepKind kind = StepKind::kMarks;
  std::int64_t a = 0;
  std::int64_t b = 0;
};

std::int64_t pack_marks(const Marks& marks) noexcept;
Marks unpack_marks(std::int64_t packed) noexcept;

// Thread rule: as the database.
class Rows {
 public:
  explicit Rows(catalog::Database& db) : db_(db) {}

  catalog::Database& db() noexcept { return db_; }
  // A statement that is kept; `sql` must be a literal. Reset it after reading.
  catalog::Statement& statement(const char* sql);

  Value read(const Cell& cell);
  void write(const Cell& cell, const Value& value);

  std::optional<std::int64_t> find_content(const ContentHash& hash);
  std::int64_t content(const ContentHash& hash);  // made if it is not there; throws kInvalidArgument for ContentHash{}
  std::int64_t tag(std::string_view name);        // made if it is not there

 private:
  std::optional<std::int64_t> first_int(catalog::Statement& statement);

  catalog::Database& db_;
  std::unordered_map<const char*, catalog::Statement> statements_;
};

Value column_value(const catalog::Statement& statement, int column);
void bind_value(catalog::Statement& statement, int index, const Value& value);
ContentHash column_content(const catalog::Statement& statement, int digest, int bytes);

}  // namespace tessera::curation
