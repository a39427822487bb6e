// Library: stored tokens and search over the segments that the catalog names.
#include <algorithm>

#include "catalog/library_impl.h"
#include "tessera/error.h"

namespace tessera {

void Library::refresh() { impl_->view.reset(); }

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
  }
}

}  // namespace tessera
