// Library: checking the catalog, the segments and the photos against one another.
#include <string>

#include "catalog/library_impl.h"
#include "tessera/error.h"
#include "tessera/image.h"

namespace tessera {
namespace {

// What is wrong, without the name of the file at the front.
std::string reason_of(const Error& error, const std::filesystem::path& file) {
  std::string_view text = error.what();
  if (text.starts_with(file.native())) {
    text.remove_prefix(file.native().size());
    if (text.starts_with(": ")) text.remove_prefix(2);
    if (text.starts_with(' ')) text.remove_prefix(1);
  }
  return std::string(text);
}

class Verification {
 public:
  Verification(catalog::Catalog& catalog, const Library::Impl& library, std::stop_token stop)
      : catalog_(catalog), library_(library), stop_(std::move(stop)) {}

  std::vector<VerifyProblem> run(bool photos) {
    attempt(catalog_.db().path(), [&] { check_catalog(); });
    attempt(catalog_.db().path(), [&] {
      const auto encoder = catalog_.encoder();
      for (const catalog::SegmentRow& segment : catalog_.segments()) {
        check_stop();
        const std::filesystem::path path = library_.segment_path(segment);
        if (!encoder) add(path, "the catalog names segments but no encoder");
        attempt(path, [&] { check_segment(segment, path, encoder); });
      }
    });
    if (photos) attempt(catalog_.db().path(), [&] { check_photos(); });
    return std::move(problems_);
  }

 private:
  template <typename Check>
  void attempt(const std::filesystem::path& file, const Check& check) {
    try {
      check();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kCancelled) throw;
      add(file, reason_of(error, file));
    }
  }

  void add(const std::filesystem::path& file, std::string problem) { problems_.push_back({file, std::move(problem)}); }

  void check_stop() const {
    if (stop_.stop_requested()) throw Error(ErrorCode::kCancelled, "verify was stopped");
  }

  void check_catalog() {
    catalog::Statement integrity = catalog_.db().prepare("PRAGMA integrity_check");
    while (integrity.step()) {
      if (integrity.column_bytes(0) != "ok") add(catalog_.db().path(), integrity.column_string(0));
    }
    catalog::Statement keys = catalog_.db().prepare("PRAGMA foreign_key_check");
    while (keys.step()) {
      add(catalog_.db().path(), "row " + std::to_string(keys.column_int(1)) + " of table " + keys.column_string(0) +
                                    " refers to nothing in table " + keys.column_string(2));
    }
  }

  void check_segment(const catalog::SegmentRow& entry, const std::filesystem::path& path,
                     const std::optional<LibraryEncoder>& encoder) {
    const auto segment = Segment::open(path);
    segment->verify();
    if (segment->rows() != entry.rows || segment->checksum() != entry.checksum ||
        static_cast<std::int64_t>(segment->file_bytes()) != entry.bytes) {
      return add(path, "is not the segment that the catalog names (rows, size or checksum differ)");
    }
    if (encoder && segment->spec() != segment_spec_of(*encoder)) {
      return add(path, "was made with another encoder than the library's");
    }
    catalog::Statement images =
        catalog_.db().prepare("SELECT id, row, hash, bytes, token_count FROM images WHERE segment = ?1 ORDER BY row");
    images.bind(1, entry.id);
    while (images.step()) {
      const std::int64_t row = images.column_int(1);
      const std::string image = "image " + std::to_string(images.column_int(0));
      if (row < 0 || row >= entry.rows) {
        add(path, image + " is beyond the end of the segment");
        continue;
      }
      const ContentHash content = segment->content(static_cast<std::uint32_t>(row));
      const std::string_view digest(reinterpret_cast<const char*>(content.digest.data()), content.digest.size());
      if (images.column_bytes(2) != digest || static_cast<std::uint64_t>(images.column_int(3)) != content.bytes) {
        add(path, image + " has another content hash in the segment than in the catalog");
      }
      if (images.column_int(4) != segment->token_count(static_cast<std::uint32_t>(row))) {
        add(path, image + " has another number of tokens in the segment than in the catalog");
      }
    }
  }

  void check_photos() {
    ListFilter filter;
    filter.state = FileState::kPresent;
    catalog_.list(filter, [&](const ImageRecord& image) {
      check_stop();
      if (image.hash == ContentHash{}) return true;  // could not be read then either
      for (const FileRecord& file : image.files) {
        if (file.state != FileState::kPresent) continue;
        attempt(file.path, [&] {
          if (hash_content(read_file(file.path)) != image.hash) add(file.path, "has changed since it was indexed");
        });
      }
      return true;
    });
  }

  catalog::Catalog& catalog_;
  const Library::Impl& library_;
  const std::stop_token stop_;
  std::vector<VerifyProblem> problems_;
};

}  // namespace

std::vector<VerifyProblem> Library::verify(bool photos, std::stop_token stop) const {
  return Verification(*impl_->catalog, *impl_, std::move(stop)).run(photos);
}

}  // namespace tessera
