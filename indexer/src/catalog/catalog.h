// The queries and changes that a library makes to its catalog, by name.
//
// Paths are stored_path() strings. Changes are made inside a Transaction that the caller holds.
// Thread rule: one Catalog belongs to one thread at a time; several on one file are fine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/sqlite.h"
#include "tessera/indexer/catalog_filter.h"
#include "tessera/indexer/library.h"
#include "tessera/indexer/types.h"

namespace tessera::catalog {

inline constexpr const char* kCatalogName = "catalog.sqlite";

// What stat() says of a file; equal stamps mean an unchanged file.
struct FileStamp {
  std::uint64_t bytes = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

struct KnownFile {
  std::int64_t id = 0;
  std::string name;
  FileStamp stamp;
  FileState state = FileState::kPresent;
  bool failed = false;  // its content could not be read or encoded
};

struct KnownContent {
  ImageId id = 0;
  bool encoded = false;
};

struct SegmentRow {
  std::int64_t id = 0;
  std::string name;  // in the library's segments folder
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::uint64_t checksum = 0;
};

struct ImageRow {
  std::optional<ContentHash> hash;  // none: the file could not be read at all
  int width = 0;
  int height = 0;
  std::string format;
  int token_count = 0;
  std::int64_t segment = 0;  // with row: where the vectors are; 0 = failed, for the reason in error
  std::int64_t row = 0;
  std::string error;
  std::string error_code;
  std::optional<std::int64_t> taken;
};

struct Location {
  std::int64_t segment = 0;  // 0 = not encoded
  std::int64_t row = 0;
};

struct Root {
  std::string path;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t complete_run = 0;  // 0 = never walked to the end
};

class Catalog {
 public:
  // Throws as open_catalog().
  Catalog(const std::filesystem::path& path, Database::Access access);
  Database& db() noexcept { return db_; }

  // Settings and the encoder's identity.
  std::optional<std::string> setting(std::string_view key);
  void set_setting(std::string_view key, std::string_view value);
  std::optional<LibraryEncoder> encoder();
  void set_encoder(const LibraryEncoder& encoder);

  // Segments.
  std::vector<SegmentRow> segments();
  std::int64_t add_segment(const SegmentRow& segment);  // returns its id
  void remove_segment(std::int64_t id);
  // Per row of the segment the image that has it, 0 = deleted. Throws kDamaged for a row beyond the segment's end.
  std::vector<ImageId> images_of(const SegmentRow& segment);
  void move_image(ImageId id, const Location& to);

  // Images.
  std::optional<KnownContent> find_content(const ContentHash& hash);
  // Inserts an image, or rewrites the one that `id` names.
  ImageId put_image(std::optional<ImageId> id, const ImageRow& image);
  void set_taken(ImageId id, std::int64_t taken);  // unless it is known
  std::optional<ImageRecord> image(ImageId id);
  std::optional<Location> location(ImageId id);
  void list(const ListFilter& filter, const std::function<bool(const ImageRecord&)>& visit);
  // As Library::matching().
  std::vector<ImageId> matching(const CatalogFilter& filter);
  // Sorted ids of the pictures with a file at or below one of these paths.
  std::vector<ImageId> images_under(std::span<const std::filesystem::path> paths);
  // Sorted ids of encoded pictures all of whose files are missing.
  std::vector<ImageId> vanished_images();
  bool has_unused();             // pictures without any file, or folders
  std::int64_t remove_unused();  // returns how many pictures

  // Files.
  std::vector<KnownFile> folder_files(std::string_view folder);  // in order of name
  std::optional<KnownFile> find_file(std::string_view path);
  std::optional<ImageId> find_path(std::string_view path);
  bool is_missing(std::int64_t file);  // false also if it is not in the catalog
  std::vector<std::string> folders_at_or_below(std::string_view path);
  void put_file(std::string_view path, const FileStamp& stamp, ImageId image, std::int64_t run);
  void set_present(std::int64_t file);
  void set_missing(std::int64_t file, std::int64_t last_seen_run);
  std::int64_t set_offline_below(std::string_view root);  // present files; returns how many are offline then
  // Drops missing files whose picture has appeared at a new path since they were last seen: they were moved.
  std::int64_t remove_moved_files();
  std::int64_t remove_files(std::string_view path);  // at or below
  std::int64_t remove_missing_files();
  // Rewrites the paths at or below `from`; an existing path there is replaced. Returns how many files moved.
  std::int64_t relocate(std::string_view from, std::string_view to);

  // Roots and runs.
  std::int64_t next_run();  // a number larger than any before
  std::optional<Root> root(std::string_view path);
  std::int64_t last_run_that_walked(std::string_view path);  // the latest complete run of a root at or above `path`
  std::vector<std::filesystem::path> root_paths();           // in order of path
  void put_root(const Root& root);

  void count(LibraryStats& stats);  // the fields that the catalog knows

 private:
  ImageRecord read_image(Statement& row);
  std::int64_t folder_id(std::string_view path);
  Statement& cached(std::optional<Statement>& slot, std::string_view sql);
  bool relocate_file(std::string_view from, std::string_view to);
  void move_folder(std::int64_t folder, std::string_view to);

  Database db_;
  struct {
    std::optional<Statement> find_content, insert_image, update_image, set_taken, put_file, find_folder, insert_folder,
        folder_files, files_of_image;
  } cache_;
};

}  // namespace tessera::catalog
