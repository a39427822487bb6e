// Library: stored tokens and search over the segments that the catalog names.
#include <algorithm>

#include "catalog/library_impl.h"
#include "catalog/schema.h"
#include "tessera/error.h"

namespace tessera {

void Library::refresh() {
  if (catalog::was_brought_up_to_date(impl_->catalog->db())) {
    impl_->catalog = std::make_unique<catalog::Catalog>(impl_->catalog->db().path(), catalog::Database::Access::kRead);
  }
  impl_->view.reset();
  impl_->search.reset();
}

std::int64_t Library::data_version() const { return impl_->catalog->db().query_int("PRAGMA data_version"); }

const std::vector<OpenSegment>& Library::Impl::segments() {
  if (!view) view = open_segments();
  return *view;
}

QueryPart Library::tokens(ImageId id, int tokens) const {
  Impl& impl = *impl_;
  for (int attempt = 1;; ++attempt) {
    const auto at = impl.catalog->location(id);
    if (!at) throw Error(ErrorCode::kNotFound, "library " + impl.dir.string() + " has no image " + std::to_string(id));
    if (at->segment == 0) {
      throw Error(ErrorCode::kNotFound, "image " + std::to_string(id) + " of library " + impl.dir.string() +
                                            " could not be encoded and has no tokens");
    }
    const auto& segments = impl.segments();
    const auto found = std::find_if(segments.begin(), segments.end(), [&](const OpenSegment& segment) {
      return segment.entry.id == at->segment && at->row < segment.entry.rows;
    });
    if (found != segments.end()) {
      QueryPart part;
      const auto row = static_cast<std::uint32_t>(at->row);
      part.tokens = found->segment->decode_tokens(row, tokens);
      part.token_count = static_cast<int>(part.tokens.size()) / found->segment->width();
      return part;
    }
    // The image is newer than this view, or a compaction has moved it.
    if (attempt == 2) {
      throw Error(ErrorCode::kDamaged, "library " + impl.dir.string() + ": image " + std::to_string(id) +
                                           " is in a segment that does not exist");
    }
    impl.view.reset();
    impl.search.reset();
  }
}

PictureVectors Library::vectors(std::optional<std::span<const ImageId>> among) const {
  struct Row {
    ImageId id;
    const Segment* segment;
    std::uint32_t row;
  };
  Impl& impl = *impl_;
  std::vector<ImageId> wanted;
  if (among) wanted.assign(among->begin(), among->end());
  std::sort(wanted.begin(), wanted.end());
  const std::vector<ImageId> vanished = impl.catalog->vanished_images();
  std::vector<Row> rows;
  int width = 1;
  for (const OpenSegment& open : impl.segments()) {
    width = open.segment->width();
    for (std::uint32_t row = 0; row < open.images.size(); ++row) {
      const ImageId id = open.images[row];
      if (id == 0 || std::binary_search(vanished.begin(), vanished.end(), id)) continue;
      if (among && !std::binary_search(wanted.begin(), wanted.end(), id)) continue;
      rows.push_back({id, open.segment.get(), row});
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.id < b.id; });
  PictureVectors result{{}, VectorSet(width)};
  result.ids.reserve(rows.size());
  result.vectors.reserve(rows.size());
  std::vector<float> vector(static_cast<std::size_t>(width));
  for (const Row& row : rows) {
    row.segment->decode_coarse(row.row, vector);
    result.ids.push_back(row.id);
    result.vectors.add(vector);
  }
  return result;
}

const Searcher& Library::Impl::searcher(bool with_index) {
  if (search && (search_has_index || !with_index)) return *search;
  const std::vector<ImageId> vanished = catalog->vanished_images();
  std::vector<SearchPart> parts;
  for (const OpenSegment& open : segments()) {
    SearchPart part{open.segment, open.images};
    for (ImageId& id : part.ids) {
      if (std::binary_search(vanished.begin(), vanished.end(), id)) id = 0;
    }
    parts.push_back(std::move(part));
  }
  std::shared_ptr<const CoarseIndex> index;
  if (with_index && !parts.empty()) index = CoarseIndex::open(coarse_path(), parts.front().segment->width()).index;
  search.emplace(std::move(parts), std::move(index));
  search_has_index = with_index;
  return *search;
}

SearchResult Library::search(const Query& query, const SearchOptions& options) const {
  Impl& impl = *impl_;
  std::int64_t rows = 0;
  for (const OpenSegment& open : impl.segments()) rows += open.entry.rows;
  const bool may_use_index = options.coarse == CoarseMethod::kIvfPq || options.coarse == CoarseMethod::kHnsw ||
                             (options.coarse == CoarseMethod::kAuto && rows > options.exact_limit);
  const Searcher& searcher = impl.searcher(may_use_index);
  if (options.under.empty() && !options.only) return searcher.search(query, options);
  if (options.under.empty()) return searcher.search(query, options, std::span<const ImageId>(*options.only));
  std::vector<ImageId> allowed = impl.catalog->images_under(options.under);
  if (options.only) {
    std::erase_if(allowed,
                  [&](ImageId id) { return !std::binary_search(options.only->begin(), options.only->end(), id); });
  }
  return searcher.search(query, options, std::span<const ImageId>(allowed));
}

void Library::build_coarse_index(CoarseMethod method) {
  impl_->require_writer();
  refresh();
  std::vector<std::shared_ptr<const Segment>> segments;
  for (const OpenSegment& open : impl_->segments()) segments.push_back(open.segment);
  if (segments.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "library " + impl_->dir.string() + " holds no picture to build a coarse index from");
  }
  if (method == CoarseMethod::kAuto) method = CoarseMethod::kIvfPq;
  CoarseIndex::build(impl_->coarse_path(), method, segments);
  impl_->search.reset();
}

}  // namespace tessera
