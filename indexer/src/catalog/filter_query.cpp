// Catalog: the pictures that a filter keeps, as one SQL query.
#include <algorithm>
#include <string>
#include <variant>

#include "catalog/catalog.h"
#include "catalog/paths.h"
#include "tessera/error.h"
#include "tessera/indexer/saved_search.h"

namespace tessera::catalog {
namespace {

constexpr int kMostNested = 8;  // saved searches within saved searches

struct Blob {
  std::string bytes;
};

// SQL text with what is bound to it, in order.
class Query {
 public:
  void add(std::string_view text) { sql_ += text; }
  void add_value(std::int64_t value) { add_placeholder(value); }
  void add_value(std::string value) { add_placeholder(std::move(value)); }
  void add_value(Blob value) { add_placeholder(std::move(value)); }

  Statement prepare(Database& db) const {
    Statement statement = db.prepare(sql_);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const int index = static_cast<int>(i) + 1;
      if (const auto* number = std::get_if<std::int64_t>(&values_[i])) statement.bind(index, *number);
      if (const auto* text = std::get_if<std::string>(&values_[i])) statement.bind_text(index, *text);
      if (const auto* blob = std::get_if<Blob>(&values_[i])) statement.bind_blob(index, blob->bytes);
    }
    return statement;
  }

 private:
  using Value = std::variant<std::int64_t, std::string, Blob>;
  void add_placeholder(Value value) {
    values_.push_back(std::move(value));
    sql_ += "?" + std::to_string(values_.size());
  }

  std::string sql_;
  std::vector<Value> values_;
};

template <typename T>
void add_range(Query& query, const char* expression, const Range<T>& range) {
  if (range.least) {
    query.add(std::string(" AND ") + expression + " >= ");
    query.add_value(std::int64_t{*range.least});
  }
  if (range.most) {
    query.add(std::string(" AND ") + expression + " <= ");
    query.add_value(std::int64_t{*range.most});
  }
}

template <typename T>
void add_one_of(Query& query, const char* expression, const std::vector<T>& values) {
  if (values.empty()) return;
  query.add(std::string(" AND ") + expression + " IN (");
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) query.add(", ");
    query.add_value(static_cast<std::int64_t>(values[i]));
  }
  query.add(")");
}

void add_tags(Query& query, std::span<const std::string> names, bool wanted) {
  if (names.empty()) return;
  query.add(wanted ? " AND EXISTS" : " AND NOT EXISTS");
  query.add(" (SELECT 1 FROM content_tags x WHERE x.content = c.id AND x.tag IN (SELECT id FROM tags WHERE false");
  for (const std::string& name : names) {
    query.add(" OR name = ");
    query.add_value(name);
    query.add(" OR (name >= ");
    query.add_value(name + "/");
    query.add(" AND name < ");
    query.add_value(name + "0");  // the character after '/'
    query.add(")");
  }
  query.add("))");
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = text.find_first_not_of(' '); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = text.find_first_not_of(' ', end);
  }
  return words;
}

void add_under(Query& query, const std::filesystem::path& path) {
  const std::string at = stored_path(path);
  const PathRange range = below(at);
  const SplitPath split = split_path(at);
  query.add(" OR d.path = ");
  query.add_value(Blob{at});
  query.add(" OR (d.path >= ");
  query.add_value(Blob{range.first});
  query.add(" AND d.path < ");
  query.add_value(Blob{range.last});
  query.add(") OR (d.path = ");
  query.add_value(Blob{split.folder});
  query.add(" AND f.name = ");
  query.add_value(Blob{split.name});
  query.add(")");
}

void add_files(Query& query, const CatalogFilter& filter) {
  const std::vector<std::string> words = words_of(filter.text);
  if (filter.under.empty() && words.empty() && !filter.state) return;
  query.add(" AND i.id IN (SELECT f.image FROM folders d JOIN files f ON f.folder = d.id WHERE true");
  if (filter.state) {
    query.add(" AND f.state = ");
    query.add_value(static_cast<std::int64_t>(*filter.state));
  }
  if (!filter.under.empty()) {
    query.add(" AND (false");
    for (const std::filesystem::path& path : filter.under) add_under(query, path);
    query.add(")");
  }
  for (const std::string& word : words) {
    // As bytes, since a path need not be UTF-8.
    query.add(
        " AND instr(CAST(lower(CAST(d.path || '/' || f.name AS TEXT)) AS BLOB), "
        "CAST(lower(");
    query.add_value(word);
    query.add(") AS BLOB)) > 0");
  }
  query.add(")");
}

constexpr const char* kDate =
    "coalesce(i.taken, (SELECT CAST(strftime('%s', min(f.mtime_ns) / 1000000000, 'unixepoch', 'localtime') AS INTEGER) "
    "FROM files f WHERE f.image = i.id))";

// Pictures all of whose files are in the trash.
constexpr const char* kTrashed =
    "SELECT f.image FROM trashed t JOIN folders d ON d.path = t.folder JOIN files f ON f.folder = d.id AND "
    "f.name = t.name WHERE f.state = 1 GROUP BY f.image HAVING count(DISTINCT f.id) = "
    "(SELECT count(*) FROM files x WHERE x.image = f.image)";

std::vector<ImageId> intersection(const std::vector<ImageId>& a, const std::vector<ImageId>& b) {
  std::vector<ImageId> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

std::vector<ImageId> matching(Database& db, const CatalogFilter& filter, int depth) {
  if (depth > kMostNested) {
    throw Error(ErrorCode::kInvalidArgument, "saved searches refer to one another in a circle");
  }
  std::int64_t manual = 0;
  std::optional<CatalogFilter> saved;
  if (!filter.collection.empty()) {
    Statement select = db.prepare("SELECT id, kind, search FROM collections WHERE name = ?1");
    select.bind_text(1, filter.collection);
    if (!select.step()) {
      throw Error(ErrorCode::kNotFound, "the library has no collection '" + filter.collection + "'");
    }
    if (select.column_int(1) == 0) {
      manual = select.column_int(0);
    } else {
      SavedSearch search = parse_saved_search(select.column_bytes(2));
      if (!search.examples.empty()) {
        throw Error(ErrorCode::kInvalidArgument, "'" + filter.collection +
                                                     "' is a search by pictures, which ranks all pictures and is no "
                                                     "condition; 'tessera search --saved' runs it");
      }
      saved = std::move(search.filter);
    }
  }
  Query query;
  query.add(
      "SELECT i.id FROM images i LEFT JOIN contents c ON c.hash = i.hash AND c.bytes = i.bytes "
      "LEFT JOIN marks m ON m.content = c.id WHERE true");
  add_range(query, "coalesce(m.rating, 0)", filter.rating);
  add_one_of(query, "coalesce(m.flag, 0)", filter.flags);
  add_one_of(query, "coalesce(m.label, 0)", filter.labels);
  for (const std::string& tag : filter.tags) add_tags(query, std::span(&tag, 1), true);
  add_tags(query, filter.any_tags, true);
  add_tags(query, filter.no_tags, false);
  if (filter.untagged) query.add(" AND NOT EXISTS (SELECT 1 FROM content_tags x WHERE x.content = c.id)");
  add_files(query, filter);
  add_range(query, kDate, filter.date);
  add_range(query, "i.bytes", filter.bytes);
  add_range(query, "i.width * i.height", filter.pixels);
  add_range(query, "max(i.width, i.height)", filter.side);
  if (manual != 0) {
    query.add(" AND c.id IN (SELECT content FROM collection_items WHERE collection = ");
    query.add_value(manual);
    query.add(")");
  }
  if (!filter.with_trashed) query.add(std::string(" AND i.id NOT IN (") + kTrashed + ")");
  query.add(" ORDER BY i.id");
  Statement select = query.prepare(db);
  std::vector<ImageId> ids;
  while (select.step()) ids.push_back(select.column_int(0));
  if (saved) {
    saved->with_trashed |= filter.with_trashed;
    ids = intersection(ids, matching(db, *saved, depth + 1));
  }
  return ids;
}

}  // namespace

std::vector<ImageId> Catalog::matching(const CatalogFilter& filter) { return catalog::matching(db_, filter, 0); }

}  // namespace tessera::catalog
