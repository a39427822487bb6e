// Catalog: settings, segments and images.
#include "catalog/catalog.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "catalog/paths.h"
#include "catalog/schema.h"
#include "tessera/error.h"
#include "tessera/resize.h"

namespace tessera::catalog {
namespace {

std::string_view digest_bytes(const ContentHash& hash) {
  return {reinterpret_cast<const char*>(hash.digest.data()), hash.digest.size()};
}

std::vector<ImageId> sorted_unique(std::vector<ImageId> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

constexpr std::string_view kImageColumns =
    "i.id, i.hash, i.bytes, i.width, i.height, i.format, i.token_count, i.error, i.error_code, i.taken";

}  // namespace

Catalog::Catalog(const std::filesystem::path& path, Database::Access access) : db_(open_catalog(path, access)) {}

Statement& Catalog::cached(std::optional<Statement>& slot, std::string_view sql) {
  if (slot) {
    slot->reset();
  } else {
    slot.emplace(db_.prepare(sql));
  }
  return *slot;
}

std::optional<std::string> Catalog::setting(std::string_view key) {
  Statement select = db_.prepare("SELECT value FROM settings WHERE key = ?1");
  select.bind_text(1, key);
  if (!select.step()) return std::nullopt;
  return select.column_string(0);
}

void Catalog::set_setting(std::string_view key, std::string_view value) {
  db_.prepare("INSERT INTO settings VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
      .bind_text(1, key)
      .bind_text(2, value)
      .run();
}

std::optional<LibraryEncoder> Catalog::encoder() {
  const auto hash = setting("encoder.weights_hash");
  if (!hash) return std::nullopt;
  const auto number = [&](const char* key) {
    const std::string text = setting(key).value_or("");
    try {
      return std::stoi(text);
    } catch (const std::exception&) {
      throw Error(ErrorCode::kDamaged, "catalog " + db_.path().string() + ": setting " + key + " is '" + text + "'");
    }
  };
  LibraryEncoder encoder;
  encoder.weights_hash = *hash;
  encoder.model_name = setting("encoder.model_name").value_or("");
  encoder.model_dir = setting("encoder.model_dir").value_or("");
  encoder.resize = parse_resize_spec(setting("encoder.resize").value_or(""));
  encoder.token_width = number("encoder.token_width");
  encoder.stored_tokens = number("encoder.stored_tokens");
  encoder.trained = number("encoder.trained") != 0;
  return encoder;
}

void Catalog::set_encoder(const LibraryEncoder& encoder) {
  set_setting("encoder.weights_hash", encoder.weights_hash);
  set_setting("encoder.model_name", encoder.model_name);
  set_setting("encoder.model_dir", encoder.model_dir);
  set_setting("encoder.resize", to_string(encoder.resize));
  set_setting("encoder.token_width", std::to_string(encoder.token_width));
  set_setting("encoder.stored_tokens", std::to_string(encoder.stored_tokens));
  set_setting("encoder.trained", encoder.trained ? "1" : "0");
}

std::vector<SegmentRow> Catalog::segments() {
  Statement select = db_.prepare("SELECT id, name, rows, bytes, checksum FROM segments ORDER BY id");
  std::vector<SegmentRow> segments;
  while (select.step()) {
    segments.push_back({select.column_int(0), select.column_string(1), select.column_int(2), select.column_int(3),
                        static_cast<std::uint64_t>(select.column_int(4))});
  }
  return segments;
}

std::int64_t Catalog::add_segment(const SegmentRow& segment) {
  db_.prepare("INSERT INTO segments (name, rows, bytes, checksum) VALUES (?1, ?2, ?3, ?4)")
      .bind_text(1, segment.name)
      .bind(2, segment.rows)
      .bind(3, segment.bytes)
      .bind(4, segment.checksum)
      .run();
  return db_.last_insert_id();
}

void Catalog::remove_segment(std::int64_t id) { db_.prepare("DELETE FROM segments WHERE id = ?1").bind(1, id).run(); }

std::vector<ImageId> Catalog::images_of(const SegmentRow& segment) {
  std::vector<ImageId> images(static_cast<std::size_t>(segment.rows), 0);
  Statement select = db_.prepare("SELECT row, id FROM images WHERE segment = ?1");
  select.bind(1, segment.id);
  while (select.step()) {
    const std::int64_t row = select.column_int(0);
    if (row < 0 || row >= segment.rows) {
      throw Error(ErrorCode::kDamaged, "catalog " + db_.path().string() + ": image " +
                                           std::to_string(select.column_int(1)) + " is beyond the end of segment " +
                                           segment.name);
    }
    images[static_cast<std::size_t>(row)] = select.column_int(1);
  }
  return images;
}

void Catalog::move_image(ImageId id, const Location& to) {
  db_.prepare("UPDATE images SET segment = ?2, row = ?3 WHERE id = ?1")
      .bind(1, id)
      .bind(2, to.segment)
      .bind(3, to.row)
      .run();
}

std::optional<KnownContent> Catalog::find_content(const ContentHash& hash) {
  Statement& select =
      cached(cache_.find_content, "SELECT id, segment IS NOT NULL FROM images WHERE hash = ?1 AND bytes = ?2");
  select.bind_blob(1, digest_bytes(hash)).bind(2, hash.bytes);
  std::optional<KnownContent> found;
  if (select.step()) found = KnownContent{select.column_int(0), select.column_int(1) != 0};
  select.reset();
  return found;
}

ImageId Catalog::put_image(std::optional<ImageId> id, const ImageRow& image) {
  Statement& put =
      id ? cached(cache_.update_image,
                  "UPDATE images SET hash = ?1, bytes = ?2, width = ?3, height = ?4, format = ?5, token_count = ?6, "
                  "segment = ?7, row = ?8, error = ?9, error_code = ?10, taken = ?11 WHERE id = ?12")
         : cached(cache_.insert_image,
                  "INSERT INTO images (hash, bytes, width, height, format, token_count, segment, row, error, "
                  "error_code, taken) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  if (image.hash) {
    put.bind_blob(1, digest_bytes(*image.hash)).bind(2, image.hash->bytes);
  } else {
    put.bind_null(1).bind(2, 0);
  }
  put.bind(3, image.width).bind(4, image.height).bind_text(5, image.format).bind(6, image.token_count);
  if (image.segment != 0) {
    put.bind(7, image.segment).bind(8, image.row);
  } else {
    put.bind_null(7).bind_null(8);
  }
  put.bind_text(9, image.error).bind_text(10, image.error_code);
  if (image.taken) {
    put.bind(11, *image.taken);
  } else {
    put.bind_null(11);
  }
  if (id) put.bind(12, *id);
  put.run();
  return id ? *id : db_.last_insert_id();
}

void Catalog::set_taken(ImageId id, std::int64_t taken) {
  cached(cache_.set_taken, "UPDATE images SET taken = ?2 WHERE id = ?1 AND taken IS NULL")
      .bind(1, id)
      .bind(2, taken)
      .run();
}

ImageRecord Catalog::read_image(Statement& row) {
  ImageRecord image;
  image.id = row.column_int(0);
  const std::string_view digest = row.column_bytes(1);
  std::copy_n(digest.begin(), std::min(digest.size(), image.hash.digest.size()), image.hash.digest.begin());
  image.hash.bytes = static_cast<std::uint64_t>(row.column_int(2));
  image.width = static_cast<int>(row.column_int(3));
  image.height = static_cast<int>(row.column_int(4));
  image.format = row.column_string(5);
  image.token_count = static_cast<int>(row.column_int(6));
  image.error = row.column_string(7);
  image.error_code = row.column_string(8);
  if (!row.is_null(9)) image.taken = row.column_int(9);
  Statement& files =
      cached(cache_.files_of_image,
             "SELECT d.path, f.name, f.state, f.bytes, f.mtime_ns, f.state = 1 AND EXISTS (SELECT 1 FROM "
             "trashed t WHERE t.folder = d.path AND t.name = f.name) FROM files f JOIN folders d ON "
             "d.id = f.folder WHERE f.image = ?1 ORDER BY f.state, d.path, f.name");
  files.bind(1, image.id);
  while (files.step()) {
    image.files.push_back({join_path(files.column_bytes(0), files.column_bytes(1)),
                           static_cast<FileState>(files.column_int(2)), static_cast<std::uint64_t>(files.column_int(3)),
                           files.column_int(4), files.column_int(5) != 0});
  }
  files.reset();
  return image;
}

std::optional<ImageRecord> Catalog::image(ImageId id) {
  Statement select = db_.prepare("SELECT " + std::string(kImageColumns) + " FROM images i WHERE i.id = ?1");
  select.bind(1, id);
  if (!select.step()) return std::nullopt;
  return read_image(select);
}

std::optional<Location> Catalog::location(ImageId id) {
  Statement select = db_.prepare("SELECT segment, row FROM images WHERE id = ?1");
  select.bind(1, id);
  if (!select.step()) return std::nullopt;
  return Location{select.column_int(0), select.column_int(1)};  // NULL reads as 0
}

void Catalog::list(const ListFilter& filter, const std::function<bool(const ImageRecord&)>& visit) {
  std::string sql = "SELECT " + std::string(kImageColumns) + " FROM images i WHERE true";
  if (filter.failed_only) sql += " AND i.segment IS NULL";
  if (filter.state) {
    sql += " AND EXISTS (SELECT 1 FROM files f WHERE f.image = i.id AND f.state = " +
           std::to_string(static_cast<int>(*filter.state)) + ")";
  }
  std::optional<std::vector<ImageId>> under, only;
  if (!filter.under.empty()) under = images_under(filter.under);
  if (filter.filter) only = matching(*filter.filter);
  Statement select = db_.prepare(sql + " ORDER BY i.id");
  while (select.step()) {
    const auto in = [id = select.column_int(0)](const std::vector<ImageId>& ids) {
      return std::binary_search(ids.begin(), ids.end(), id);
    };
    if ((under && !in(*under)) || (only && !in(*only))) continue;
    if (!visit(read_image(select))) return;
  }
}

std::vector<ImageId> Catalog::images_under(std::span<const std::filesystem::path> paths) {
  std::vector<ImageId> ids;
  const auto collect = [&](Statement select) {
    while (select.step()) ids.push_back(select.column_int(0));
  };
  for (const std::filesystem::path& path : paths) {
    const std::string at = stored_path(path);
    const PathRange range = below(at);
    Statement inside = db_.prepare(
        "SELECT f.image FROM folders d JOIN files f ON f.folder = d.id "
        "WHERE d.path = ?1 OR (d.path >= ?2 AND d.path < ?3)");
    inside.bind_blob(1, at).bind_blob(2, range.first).bind_blob(3, range.last);
    collect(std::move(inside));
    const SplitPath split = split_path(at);
    Statement itself =
        db_.prepare("SELECT f.image FROM folders d JOIN files f ON f.folder = d.id WHERE d.path = ?1 AND f.name = ?2");
    itself.bind_blob(1, split.folder).bind_blob(2, split.name);
    collect(std::move(itself));
  }
  return sorted_unique(std::move(ids));
}

std::vector<ImageId> Catalog::vanished_images() {
  Statement select = db_.prepare(
      "SELECT m.image FROM files m WHERE m.state = 1 AND NOT EXISTS "
      "(SELECT 1 FROM files f WHERE f.image = m.image AND f.state <> 1)");
  std::vector<ImageId> ids;
  while (select.step()) ids.push_back(select.column_int(0));
  return sorted_unique(std::move(ids));
}

bool Catalog::has_unused() {
  return db_.query_int(
             "SELECT EXISTS (SELECT 1 FROM images i WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.image = i.id)) OR "
             "EXISTS (SELECT 1 FROM folders d WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.folder = d.id))") != 0;
}

std::int64_t Catalog::remove_unused() {
  db_.execute("DELETE FROM folders WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.folder = folders.id)");
  db_.execute("DELETE FROM images WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.image = images.id)");
  return db_.changes();
}

void Catalog::count(LibraryStats& stats) {
  Statement images = db_.prepare(
      "SELECT count(*), (SELECT count(*) FROM images WHERE segment IS NULL), "
      "(SELECT count(*) FROM segments), (SELECT coalesce(sum(rows), 0) FROM segments), "
      "(SELECT coalesce(sum(bytes), 0) FROM segments) FROM images");
  images.step();
  stats.failed = images.column_int(1);
  stats.images = images.column_int(0) - stats.failed;
  stats.segments = images.column_int(2);
  stats.deleted_rows = images.column_int(3) - stats.images;
  stats.segment_bytes = images.column_int(4);
  stats.files = db_.query_int("SELECT count(*) FROM files");
  stats.missing_files = db_.query_int("SELECT count(*) FROM files WHERE state = 1");
  stats.offline_files = db_.query_int("SELECT count(*) FROM files WHERE state = 2");
}

}  // namespace tessera::catalog
