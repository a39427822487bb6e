// RAII over SQLite: Database, Statement and Transaction, with SQLite's errors translated into tessera::Error.
//
// Thread rule: a Database and everything made from it belong to one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace tessera::catalog {

class Statement;

class Database {
 public:
  enum class Access {
    kRead,       // an existing database; its -wal and -shm files are used where they exist or can be made
    kImmutable,  // an existing database that nobody changes, on media that cannot be written
    kWrite,      // an existing database
    kCreate,
  };

  // Opens lazily, as SQLite does: most errors show at the first statement. Throws Error (kIo, kNotFound, ...).
  Database(const std::filesystem::path& path, Access access);

  const std::filesystem::path& path() const noexcept { return path_; }
  // Runs one or more statements without parameters or rows.
  void execute(const char* sql);
  Statement prepare(std::string_view sql);
  // First column of the first row of a query that has one.
  std::int64_t query_int(std::string_view sql);

  std::int64_t last_insert_id() const noexcept;
  std::int64_t changes() const noexcept;  // rows touched by the last INSERT, UPDATE or DELETE
  bool in_transaction() const noexcept;

 private:
  friend class Statement;
  struct Close {
    void operator()(sqlite3* db) const noexcept;
  };
  std::filesystem::path path_;
  std::shared_ptr<sqlite3> db_;  // shared with its statements, so that none outlives it
};

enum class ColumnType { kNull, kInteger, kReal, kText, kBlob };

// One prepared statement: bind (1-based), step to each row, read columns (0-based), reset to use it again.
class Statement {
 public:
  Statement(Statement&&) noexcept = default;
  Statement& operator=(Statement&&) noexcept = default;
  ~Statement() = default;

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, int value) { return bind(index, std::int64_t{value}); }
  Statement& bind(int index, std::uint64_t value) { return bind(index, static_cast<std::int64_t>(value)); }
  Statement& bind(int index, double value);
  Statement& bind_text(int index, std::string_view value);
  Statement& bind_blob(int index, std::string_view bytes);  // never NULL, also when empty
  Statement& bind_null(int index);

  bool step();  // true: a row is there
  // Runs to the end and resets: for statements without rows.
  void run();
  void reset() noexcept;  // bindings stay

  ColumnType type(int column) const;
  bool is_null(int column) const { return type(column) == ColumnType::kNull; }
  std::int64_t column_int(int column) const;
  double column_double(int column) const;
  // Valid until the next step, reset or destruction.
  std::string_view column_bytes(int column) const;
  std::string column_string(int column) const { return std::string(column_bytes(column)); }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  Statement(std::shared_ptr<sqlite3> db, const std::filesystem::path& path, std::string_view sql);
  void check(int result) const;

  std::shared_ptr<sqlite3> db_;
  std::filesystem::path path_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Rolls back unless committed.
class Transaction {
 public:
  enum class Kind { kRead, kWrite };  // kRead: a stable snapshot; kWrite: BEGIN IMMEDIATE
  Transaction(Database& db, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Database& db_;
  bool open_ = true;
};

}  // namespace tessera::catalog
