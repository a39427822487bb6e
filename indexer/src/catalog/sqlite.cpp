// RAII over SQLite and the translation of its result codes.
#include "catalog/sqlite.h"

#include <sqlite3.h>

#include <cerrno>

#include "tessera/error.h"

namespace tessera::catalog {
namespace {

constexpr int kBusyTimeoutMs = 5000;

ErrorCode code_of_result(sqlite3* db, int result) {
  switch (result & 0xff) {
    case SQLITE_FULL: return ErrorCode::kDiskFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorCode::kDamaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorCode::kBusy;
    case SQLITE_READONLY:
    case SQLITE_PERM: return ErrorCode::kReadOnly;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: {
      const int system = db != nullptr ? sqlite3_system_errno(db) : 0;
      if (system == ENOSPC || system == EDQUOT) return ErrorCode::kDiskFull;
      if (system == EROFS) return ErrorCode::kReadOnly;
      return ErrorCode::kIo;
    }
    default: return ErrorCode::kInternal;
  }
}

[[noreturn]] void throw_result(sqlite3* db, const std::filesystem::path& path, int result) {
  std::string message = "catalog " + path.string() + ": ";
  message += db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(result);
  const ErrorCode code = code_of_result(db, result);
  if (code == ErrorCode::kIo && db != nullptr && sqlite3_system_errno(db) != 0) {
    message += " (" + std::generic_category().message(sqlite3_system_errno(db)) + ")";
  }
  throw Error(code, message);
}

// A file: URI for the path, with every byte that has a meaning there escaped.
std::string uri_of(const std::filesystem::path& path, const char* query) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string uri = "file:";
  for (const char c : path.native()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
                       byte == '/' || byte == '.' || byte == '-' || byte == '_';
    if (plain) {
      uri.push_back(c);
    } else {
      uri.push_back('%');
      uri.push_back(kDigits[byte >> 4]);
      uri.push_back(kDigits[byte & 15]);
    }
  }
  return uri + query;
}

}  // namespace

void Database::Close::operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }

Database::Database(const std::filesystem::path& path, Access access) : path_(std::filesystem::absolute(path)) {
  int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
  const char* query = "";
  switch (access) {
    case Access::kRead: flags |= SQLITE_OPEN_READONLY; break;
    case Access::kImmutable:
      flags |= SQLITE_OPEN_READONLY;
      query = "?immutable=1";
      break;
    case Access::kWrite: flags |= SQLITE_OPEN_READWRITE; break;
    case Access::kCreate: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE; break;
  }
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(uri_of(path_, query).c_str(), &handle, flags, nullptr);
  db_ = std::shared_ptr<sqlite3>(handle, Close());
  if (result != SQLITE_OK) throw_result(handle, path_, result);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
}

void Database::execute(const char* sql) {
  const int result = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) throw_result(db_.get(), path_, result);
}

Statement Database::prepare(std::string_view sql) { return Statement(db_, path_, sql); }

std::int64_t Database::query_int(std::string_view sql) {
  Statement statement = prepare(sql);
  if (!statement.step()) throw Error(ErrorCode::kInternal, "catalog " + path_.string() + ": query without a row");
  return statement.column_int(0);
}

std::int64_t Database::last_insert_id() const noexcept { return sqlite3_last_insert_rowid(db_.get()); }
std::int64_t Database::changes() const noexcept { return sqlite3_changes64(db_.get()); }
bool Database::in_transaction() const noexcept { return sqlite3_get_autocommit(db_.get()) == 0; }

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Statement::Statement(std::shared_ptr<sqlite3> db, const std::filesystem::path& path, std::string_view sql)
    : db_(std::move(db)), path_(path) {
  sqlite3_stmt* handle = nullptr;
  const int result = sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &handle, nullptr);
  statement_.reset(handle);
  check(result);
}

void Statement::check(int result) const {
  if (result != SQLITE_OK) throw_result(db_.get(), path_, result);
}

Statement& Statement::bind(int index, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), index, value));
  return *this;
}
Statement& Statement::bind(int index, double value) {
  check(sqlite3_bind_double(statement_.get(), index, value));
  return *this;
}
Statement& Statement::bind_text(int index, std::string_view value) {
  check(sqlite3_bind_text64(statement_.get(), index, value.empty() ? "" : value.data(), value.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8));
  return *this;
}
Statement& Statement::bind_blob(int index, std::string_view bytes) {
  check(
      sqlite3_bind_blob64(statement_.get(), index, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_TRANSIENT));
  return *this;
}
Statement& Statement::bind_null(int index) {
  check(sqlite3_bind_null(statement_.get(), index));
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  sqlite3_reset(statement_.get());
  throw_result(db_.get(), path_, result);
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() noexcept { sqlite3_reset(statement_.get()); }

ColumnType Statement::type(int column) const {
  switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_INTEGER: return ColumnType::kInteger;
    case SQLITE_FLOAT: return ColumnType::kReal;
    case SQLITE_TEXT: return ColumnType::kText;
    case SQLITE_BLOB: return ColumnType::kBlob;
    default: return ColumnType::kNull;
  }
}
std::int64_t Statement::column_int(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::column_double(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string_view Statement::column_bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return size > 0 ? std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size))
                  : std::string_view();
}

Transaction::Transaction(Database& db, Kind kind) : db_(db) {
  db_.execute(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (!open_ || !db_.in_transaction()) return;
  try {
    db_.execute("ROLLBACK");
  } catch (const Error&) {  // SQLite has rolled back by itself
  }
}

void Transaction::commit() {
  db_.execute("COMMIT");
  open_ = false;
}

}  // namespace tessera::catalog
