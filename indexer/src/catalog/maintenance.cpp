// Library: forgetting, relocating and compacting.
#include <algorithm>
#include <system_error>

#include "catalog/library_impl.h"
#include "catalog/paths.h"
#include "ingest/commit.h"
#include "store/segment_writer.h"
#include "tessera/error.h"

namespace tessera {
namespace {

constexpr std::int64_t kSmallSegment = 1024;     // rows; several of these are worth merging
constexpr std::int64_t kMergedSegment = 16'384;  // rows; merging stops there

std::int64_t live_rows(const OpenSegment& segment) {
  return std::count_if(segment.images.begin(), segment.images.end(), [](ImageId id) { return id != 0; });
}

// Segments to be replaced by one each: those with deleted rows, and small ones next to each other.
std::vector<std::vector<OpenSegment>> groups_to_rewrite(std::vector<OpenSegment> segments) {
  std::vector<std::vector<OpenSegment>> groups;
  std::int64_t rows = 0;
  for (OpenSegment& segment : segments) {
    const std::int64_t live = live_rows(segment);
    const bool has_deleted = live < segment.entry.rows;
    if (!has_deleted && live >= kSmallSegment) continue;
    if (groups.empty() || rows + live > kMergedSegment) {
      groups.emplace_back();
      rows = 0;
    }
    rows += live;
    groups.back().push_back(std::move(segment));
  }
  std::erase_if(groups, [](const std::vector<OpenSegment>& group) {
    return group.size() == 1 && live_rows(group.front()) == group.front().entry.rows;
  });
  return groups;
}

struct MovedImage {
  ImageId id = 0;
  std::int64_t row = 0;
};

}  // namespace

std::int64_t Library::remove(std::span<const std::filesystem::path> paths) {
  impl_->require_writer();
  catalog::Transaction transaction(impl_->catalog->db(), catalog::Transaction::Kind::kWrite);
  std::int64_t removed = 0;
  for (const std::filesystem::path& path : paths) removed += impl_->catalog->remove_files(catalog::stored_path(path));
  impl_->catalog->remove_unused();
  transaction.commit();
  refresh();
  return removed;
}

std::int64_t Library::prune() {
  impl_->require_writer();
  catalog::Transaction transaction(impl_->catalog->db(), catalog::Transaction::Kind::kWrite);
  const std::int64_t removed = impl_->catalog->remove_missing_files();
  impl_->catalog->remove_unused();
  transaction.commit();
  refresh();
  return removed;
}

std::int64_t Library::relocate(const std::filesystem::path& from, const std::filesystem::path& to) {
  impl_->require_writer();
  const std::string old_path = catalog::stored_path(from);
  const std::string new_path = catalog::stored_path(to);
  if (old_path == new_path) return 0;
  catalog::Transaction transaction(impl_->catalog->db(), catalog::Transaction::Kind::kWrite);
  const std::int64_t moved = impl_->catalog->relocate(old_path, new_path);
  impl_->catalog->remove_unused();
  transaction.commit();
  refresh();
  return moved;
}

// The new segment is complete under its name before the transaction that puts it in the place of the old ones, and
// those are unlinked after it: a process killed in between leaves a file that nobody names.
std::int64_t Library::compact() {
  impl_->require_writer();
  catalog::Catalog& catalog = *impl_->catalog;
  std::int64_t freed = 0;
  for (const std::vector<OpenSegment>& group : groups_to_rewrite(impl_->open_segments())) {
    catalog::SegmentRow merged;
    merged.name = ingest::next_segment_name(catalog.db());
    const std::filesystem::path path = impl_->segments_dir / merged.name;
    SegmentWriter writer(path, group.front().segment->spec());
    std::vector<MovedImage> moved;
    for (const OpenSegment& old : group) {
      for (std::size_t row = 0; row < old.images.size(); ++row) {
        if (old.images[row] == 0) continue;
        moved.push_back({old.images[row], writer.add(*old.segment, static_cast<std::uint32_t>(row))});
      }
    }
    if (!moved.empty()) {
      const SegmentSummary summary = writer.finish();
      merged.rows = summary.rows;
      merged.bytes = static_cast<std::int64_t>(summary.file_bytes);
      merged.checksum = summary.checksum;
    }
    catalog::Transaction transaction(catalog.db(), catalog::Transaction::Kind::kWrite);
    if (!moved.empty()) {
      const std::int64_t segment = catalog.add_segment(merged);
      for (const MovedImage& image : moved) catalog.move_image(image.id, {segment, image.row});
    }
    for (const OpenSegment& old : group) catalog.remove_segment(old.entry.id);
    transaction.commit();
    for (const OpenSegment& old : group) {
      std::error_code ignored;
      std::filesystem::remove(impl_->segment_path(old.entry), ignored);
      freed += old.entry.bytes;
    }
    freed -= merged.bytes;
  }
  refresh();
  return freed;
}

}  // namespace tessera
