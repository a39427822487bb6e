// What a Library holds: its lock, its catalog and the view of the segments that search uses.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/writer_lock.h"
#include "search/searcher.h"
#include "store/segment.h"
#include "tessera/indexer/library.h"

namespace tessera {

// One segment as the catalog names it, open, with the image of each row (0 = deleted).
struct OpenSegment {
  catalog::SegmentRow entry;
  std::shared_ptr<const Segment> segment;
  std::vector<ImageId> images;
};

struct Library::Impl {
  Impl(std::filesystem::path where, OpenMode how);

  std::filesystem::path segment_path(const catalog::SegmentRow& segment) const { return segments_dir / segment.name; }
  std::filesystem::path coarse_path() const { return dir / "coarse.faiss"; }
  // Throws kReadOnly unless the library was opened for writing.
  void require_writer() const;
  // Segment files that the catalog does not name: left by a run that was killed, or by a compaction.
  void remove_unnamed_segments();
  std::vector<OpenSegment> open_segments();
  const std::vector<OpenSegment>& segments();  // those of the view, opened at first use
  // Over the view without pictures whose files are all missing. The coarse index is opened when first asked for.
  const Searcher& searcher(bool with_index);
  SegmentSpec segment_spec() const;

  std::filesystem::path dir;
  std::filesystem::path segments_dir;
  OpenMode mode;
  std::optional<catalog::WriterLock> lock;
  std::unique_ptr<catalog::Catalog> catalog;
  std::optional<std::vector<OpenSegment>> view;
  std::optional<Searcher> search;
  bool search_has_index = false;  // that it was looked for
};

SegmentSpec segment_spec_of(const LibraryEncoder& encoder);

}  // namespace tessera
