// A Tessera library on disk: catalog, token segments and coarse index of one photo collection.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tessera/encoder.h"
#include "tessera/indexer/catalog_filter.h"
#include "tessera/indexer/ingest.h"
#include "tessera/indexer/search.h"
#include "tessera/indexer/types.h"
#include "tessera/indexer/vector_set.h"

namespace tessera {

enum class OpenMode {
  kRead,    // never writes; works on read-only media and beside a writer
  kWrite,   // takes the writer lock (kBusy if another process has it)
  kCreate,  // kWrite, and makes the library if there is none
};

// What the vectors of a library were made with; fixed by the first `index` run.
struct LibraryEncoder {
  std::string model_name;
  std::string weights_hash;  // EncoderInfo::weights_hash
  std::string model_dir;     // where it was found then; a hint
  ResizeSpec resize;
  int token_width = 0;     // D
  int stored_tokens = 16;  // N, per image at most
  bool trained = true;
};

struct LibraryStats {
  std::int64_t images = 0;  // encoded pictures (by content)
  std::int64_t files = 0;
  std::int64_t missing_files = 0;
  std::int64_t offline_files = 0;
  std::int64_t failed = 0;
  std::int64_t segments = 0;
  std::int64_t segment_bytes = 0;
  std::int64_t catalog_bytes = 0;
  std::int64_t coarse_index_bytes = 0;  // 0 = none built
  std::int64_t deleted_rows = 0;        // tombstones in segments
};

struct VerifyProblem {
  std::filesystem::path file;  // catalog, segment, coarse index or photo
  std::string problem;
};

// First tokens of pictures, row by row.
struct PictureVectors {
  std::vector<ImageId> ids;  // ascending
  VectorSet vectors;
};

struct ListFilter {
  bool failed_only = false;
  std::vector<std::filesystem::path> under;
  std::optional<FileState> state;
  std::optional<CatalogFilter> filter;
};

// Thread rule: one Library object is used by one thread at a time; several objects on one folder, in one process or
// many, are fine (any number of readers, one writer). What another process commits shows in list(), image(), stats()
// and the find functions at once, and in search() from the next refresh() on.
class Library {
 public:
  // Throws kNotFound, kBusy, kReadOnly, kVersion (made by a newer Tessera), kDamaged.
  static Library open(const std::filesystem::path& dir, OpenMode mode);
  // The library of the nearest folder upward from `start` (a folder named ".tessera" with a catalog), like git.
  static std::optional<std::filesystem::path> find_upward(const std::filesystem::path& start);

  Library(Library&&) noexcept;
  Library& operator=(Library&&) noexcept;
  ~Library();

  const std::filesystem::path& dir() const;
  std::optional<LibraryEncoder> encoder() const;  // none before the first index run
  LibraryStats stats() const;

  // Fixes the encoder of a new library; on an old one throws kModelMismatch if it differs.
  void set_encoder(const LibraryEncoder& encoder);

  // Another model or other settings for the same pictures (kWrite). Their tokens go; files, ids, marks and collections
  // stay, and an index run with IngestOptions::retry_failed encodes every picture again. Until then a picture has
  // error_code "model_mismatch". Returns how many pictures that are.
  std::int64_t change_encoder(const LibraryEncoder& encoder);

  // Folders that were indexed, in order of path.
  std::vector<std::filesystem::path> roots() const;

  // Walks the roots, encodes what is new, records what failed. Needs kWrite. The encoder must be that of set_encoder().
  // Files that cannot be read are rows of the report, not exceptions; kDiskFull, kIo of the library itself are thrown
  // after everything finished so far is committed.
  IngestReport index(std::span<const std::filesystem::path> roots, const IngestOptions& options, ImageEncoder& encoder,
                     const IngestObserver& observer = {}, std::stop_token stop = {});
  // With several encoders of one model, each in a thread of its own: they share the work, and the result is that of
  // one.
  IngestReport index(std::span<const std::filesystem::path> roots, const IngestOptions& options,
                     std::span<ImageEncoder* const> encoders, const IngestObserver& observer = {},
                     std::stop_token stop = {});

  // Makes what another process committed visible.
  void refresh();
  // Another number once another object, of this process or another, has committed anything to the catalog. Comparable
  // for one object only. Costs microseconds.
  std::int64_t data_version() const;

  SearchResult search(const Query& query, const SearchOptions& options = {}) const;
  // Builds coarse.faiss for this method now (kWrite); search() uses it from then on.
  void build_coarse_index(CoarseMethod method);

  // Throws kNotFound.
  ImageRecord image(ImageId id) const;
  std::optional<ImageId> find_path(const std::filesystem::path& path) const;  // a file's path, made absolute
  std::optional<ImageId> find_hash(const ContentHash& hash) const;
  // In order of id. Return false from `visit` to stop.
  void list(const ListFilter& filter, const std::function<bool(const ImageRecord&)>& visit) const;

  // Ids of the pictures that pass, ascending. Throws kNotFound for a collection that is not there.
  std::vector<ImageId> matching(const CatalogFilter& filter) const;

  // The stored tokens of an image, dequantised: [token_count, D], at most `tokens` rows (0 = all). Token 0 comes from
  // the f16 coarse vector. Throws kNotFound, kDamaged.
  QueryPart tokens(ImageId id, int tokens = 0) const;
  // Token 0 of every picture that search() would look at, or of those of them that are `among` these.
  PictureVectors vectors(std::optional<std::span<const ImageId>> among = std::nullopt) const;

  // Forgets files (exact paths, or everything below a folder); a picture whose last file goes is forgotten with its
  // tokens. Photos on disk are never touched. Returns how many files were forgotten.
  std::int64_t remove(std::span<const std::filesystem::path> paths);
  // Forgets files in state kMissing.
  std::int64_t prune();
  // Rewrites the paths of all files below `from` to be below `to` (a moved root). Returns how many.
  std::int64_t relocate(const std::filesystem::path& from, const std::filesystem::path& to);
  // Rewrites segments so that forgotten pictures take no space. Returns bytes freed.
  std::int64_t compact();

  // Checks catalog integrity, every segment checksum, and that they agree; with `photos` also re-reads and hashes every
  // photo. Empty = all is well.
  std::vector<VerifyProblem> verify(bool photos = false, std::stop_token stop = {}) const;

  struct Impl;  // for the library's own sources

 private:
  explicit Library(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The library a command should use: `explicit_dir` if not empty, else $TESSERA_LIBRARY, else find_upward(current
// folder), else $XDG_DATA_HOME/tessera (~/.local/share/tessera).
std::filesystem::path resolve_library_dir(const std::filesystem::path& explicit_dir);

ContentHash hash_content(std::span<const std::uint8_t> bytes);

}  // namespace tessera
