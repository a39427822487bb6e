// Library: opening, the encoder's identity, indexing and looking things up.
#include "tessera/indexer/library.h"

#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <unordered_set>

#include "catalog/library_impl.h"
#include "catalog/paths.h"
#include "ingest/pipeline.h"
#include "tessera/error.h"

namespace tessera {
namespace {

constexpr int kOpenAttempts = 5;

void make_folder(const std::filesystem::path& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (!error) return;
  if (error == std::errc::permission_denied) {
    throw Error(ErrorCode::kReadOnly, "make folder " + dir.string() + ": " + error.message());
  }
  throw errno_error("make folder", dir.string(), error.value());
}

std::int64_t file_bytes(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(bytes);
}

std::string describe(const LibraryEncoder& encoder) {
  return "'" + encoder.model_name + "' (weights " + encoder.weights_hash.substr(0, 12) + ", " +
         to_string(encoder.resize) + ", " + std::to_string(encoder.stored_tokens) + " tokens of " +
         std::to_string(encoder.token_width) + ")";
}

bool same_vectors(const LibraryEncoder& a, const LibraryEncoder& b) {
  return a.weights_hash == b.weights_hash && a.resize == b.resize && a.token_width == b.token_width &&
         a.stored_tokens == b.stored_tokens;
}

}  // namespace

SegmentSpec segment_spec_of(const LibraryEncoder& encoder) {
  return {encoder.weights_hash, to_string(encoder.resize), encoder.token_width, encoder.stored_tokens};
}

ContentHash hash_content(std::span<const std::uint8_t> bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  ContentHash hash;
  static_assert(sizeof canonical.digest == sizeof hash.digest);
  std::memcpy(hash.digest.data(), canonical.digest, hash.digest.size());
  hash.bytes = bytes.size();
  return hash;
}

Library::Impl::Impl(std::filesystem::path where, OpenMode how)
    : dir(catalog::stored_path(where)), segments_dir(dir / "segments"), mode(how) {
  const std::filesystem::path catalog_path = dir / catalog::kCatalogName;
  if (mode == OpenMode::kCreate) {
    make_folder(segments_dir);
  } else {
    struct stat info;
    if (::stat(catalog_path.c_str(), &info) != 0) {
      if (errno != ENOENT && errno != ENOTDIR) throw errno_error("open", catalog_path.string(), errno);
      throw Error(ErrorCode::kNotFound, "there is no Tessera library in " + dir.string());
    }
  }
  using Access = catalog::Database::Access;
  if (mode == OpenMode::kRead) {
    catalog = std::make_unique<catalog::Catalog>(catalog_path, Access::kRead);
    return;
  }
  lock.emplace(dir);
  catalog =
      std::make_unique<catalog::Catalog>(catalog_path, mode == OpenMode::kCreate ? Access::kCreate : Access::kWrite);
  make_folder(segments_dir);
  remove_unnamed_segments();
}

void Library::Impl::require_writer() const {
  if (mode == OpenMode::kRead)
    throw Error(ErrorCode::kReadOnly, "library " + dir.string() + " is open for reading only");
}

void Library::Impl::remove_unnamed_segments() {
  std::unordered_set<std::string> named;
  for (const catalog::SegmentRow& segment : catalog->segments()) named.insert(segment.name);
  std::error_code error;
  std::vector<std::filesystem::path> unnamed;
  for (std::filesystem::directory_iterator at(segments_dir, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    const bool ours = name.ends_with(".seg") || name.ends_with(std::string(".seg") + kTemporarySuffix);
    if (ours && !named.contains(name)) unnamed.push_back(at->path());
  }
  for (const std::filesystem::path& path : unnamed) std::filesystem::remove(path, error);
}

std::vector<OpenSegment> Library::Impl::open_segments() {
  for (int attempt = 1;; ++attempt) {
    std::vector<OpenSegment> open;
    {
      catalog::Transaction snapshot(catalog->db(), catalog::Transaction::Kind::kRead);
      for (catalog::SegmentRow& segment : catalog->segments()) {
        std::vector<ImageId> images = catalog->images_of(segment);
        open.push_back({std::move(segment), nullptr, std::move(images)});
      }
    }
    try {
      for (OpenSegment& segment : open) {
        segment.segment = Segment::open(segment_path(segment.entry));
        if (segment.segment->rows() != segment.entry.rows || segment.segment->checksum() != segment.entry.checksum) {
          throw Error(ErrorCode::kDamaged,
                      "segment " + segment.segment->path().string() + " is not the one that the catalog names");
        }
      }
      return open;
    } catch (const Error& error) {
      // A compaction in another process may have replaced segments since the catalog was read.
      if (error.code() != ErrorCode::kNotFound || attempt == kOpenAttempts) throw;
    }
  }
}

SegmentSpec Library::Impl::segment_spec() const {
  const auto encoder = catalog->encoder();
  if (!encoder) throw Error(ErrorCode::kInvalidArgument, "library " + dir.string() + " has no encoder yet");
  return segment_spec_of(*encoder);
}

Library::Library(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Library::Library(Library&&) noexcept = default;
Library& Library::operator=(Library&&) noexcept = default;
Library::~Library() = default;

Library Library::open(const std::filesystem::path& dir, OpenMode mode) {
  return Library(std::make_unique<Impl>(dir, mode));
}

const std::filesystem::path& Library::dir() const { return impl_->dir; }
std::optional<LibraryEncoder> Library::encoder() const { return impl_->catalog->encoder(); }

void Library::set_encoder(const LibraryEncoder& encoder) {
  impl_->require_writer();
  check_segment_spec(segment_spec_of(encoder));
  const auto present = impl_->catalog->encoder();
  if (present && !same_vectors(*present, encoder)) {
    throw Error(ErrorCode::kModelMismatch, "library " + impl_->dir.string() + " was made with model " +
                                               describe(*present) + ", not with " + describe(encoder));
  }
  if (present && present->model_dir == encoder.model_dir && present->model_name == encoder.model_name) return;
  catalog::Transaction transaction(impl_->catalog->db(), catalog::Transaction::Kind::kWrite);
  impl_->catalog->set_encoder(encoder);
  transaction.commit();
}

IngestReport Library::index(std::span<const std::filesystem::path> roots, const IngestOptions& options,
                            ImageEncoder& encoder, const IngestObserver& observer, std::stop_token stop) {
  const std::array encoders = {&encoder};
  return index(roots, options, encoders, observer, std::move(stop));
}

IngestReport Library::index(std::span<const std::filesystem::path> roots, const IngestOptions& options,
                            std::span<ImageEncoder* const> encoders, const IngestObserver& observer,
                            std::stop_token stop) {
  impl_->require_writer();
  catalog::Catalog& catalog = *impl_->catalog;
  const auto expected = catalog.encoder();
  if (!expected) throw Error(ErrorCode::kInvalidArgument, "library " + impl_->dir.string() + " has no encoder yet");
  if (encoders.empty()) throw Error(ErrorCode::kInvalidArgument, "indexing needs an encoder");
  for (ImageEncoder* encoder : encoders) {
    const EncoderInfo& info = encoder->info();
    if (info.weights_hash != expected->weights_hash || info.token_width != expected->token_width) {
      throw Error(ErrorCode::kModelMismatch, "library " + impl_->dir.string() + " was made with model " +
                                                 describe(*expected) + ", not with '" + info.model_name +
                                                 "' (weights " + info.weights_hash.substr(0, 12) + ")");
    }
  }
  std::vector<std::string> stored;
  for (const std::filesystem::path& root : roots) {
    std::string path = catalog::stored_path(root);
    struct stat status;
    if (::stat(path.c_str(), &status) != 0) {
      const int reason = errno;
      const bool known = catalog.root(path) || catalog.find_file(path) || !catalog.folders_at_or_below(path).empty();
      if (!known) throw errno_error("index", path, reason);
    }
    if (std::find(stored.begin(), stored.end(), path) == stored.end()) stored.push_back(std::move(path));
  }
  const ingest::PipelineSetup setup{impl_->dir, catalog.db().path(), impl_->segments_dir, impl_->segment_spec(),
                                    expected->resize};
  IngestReport report = ingest::run_pipeline(setup, catalog, stored, options, encoders, observer, std::move(stop));
  refresh();
  return report;
}

LibraryStats Library::stats() const {
  LibraryStats stats;
  impl_->catalog->count(stats);
  const std::string catalog = impl_->catalog->db().path().string();
  stats.catalog_bytes = file_bytes(catalog) + file_bytes(catalog + "-wal");
  stats.coarse_index_bytes = file_bytes(impl_->coarse_path());
  return stats;
}

ImageRecord Library::image(ImageId id) const {
  auto image = impl_->catalog->image(id);
  if (!image) {
    throw Error(ErrorCode::kNotFound, "library " + impl_->dir.string() + " has no image " + std::to_string(id));
  }
  return std::move(*image);
}

std::optional<ImageId> Library::find_path(const std::filesystem::path& path) const {
  return impl_->catalog->find_path(catalog::stored_path(path));
}

std::optional<ImageId> Library::find_hash(const ContentHash& hash) const {
  const auto known = impl_->catalog->find_content(hash);
  return known ? std::optional(known->id) : std::nullopt;
}

void Library::list(const ListFilter& filter, const std::function<bool(const ImageRecord&)>& visit) const {
  impl_->catalog->list(filter, visit);
}

std::vector<ImageId> Library::matching(const CatalogFilter& filter) const { return impl_->catalog->matching(filter); }

}  // namespace tessera
