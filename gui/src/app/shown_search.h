// The search whose result is shown, so that every page can say why one of its pictures was found.
#pragma once

#include <QRectF>
#include <filesystem>
#include <memory>

#include "tessera/image.h"
#include "tessera/indexer/search.h"

namespace tessera::gui {

struct ShownSearch {
  // The example that is asked about: a file, or a picture without one (from the clipboard).
  std::filesystem::path file;
  std::shared_ptr<const Image> picture;
  QRectF region;  // the part of it that was searched for, fractions of the upright picture; null = all
  SearchOptions options;
  std::shared_ptr<const SearchResult> result;
};

}  // namespace tessera::gui
