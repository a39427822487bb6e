// What is searched for on the search page, and the job that answers it.
#pragma once

#include <QRectF>
#include <QString>
#include <filesystem>
#include <memory>
#include <vector>

#include "jobs/job_runner.h"
#include "jobs/library_encoder.h"
#include "tessera/image.h"
#include "tessera/indexer/catalog_filter.h"
#include "tessera/indexer/search.h"

namespace tessera::gui {

// One of: a picture of the library, a file, a picture without a file (from the clipboard).
struct Example {
  ImageId id = 0;  // 0 = not of the library
  std::filesystem::path file;
  std::shared_ptr<const Image> picture;
  QRectF region;          // fractions of the upright picture; null = all of it
  bool negative = false;  // not like this

  QString name() const;  // to show
  friend bool operator==(const Example&, const Example&) = default;
};

// That of the commands, as the slider has it.
inline double usualComposition() { return static_cast<int>(100 * SearchOptions{}.rerank_weight + 0.5F) / 100.0; }

struct SearchSettings {
  int tokens = 0;                           // token budget; 0 = all that are stored
  double composition = usualComposition();  // how much the second stage counts, 0..1
  bool likely_only = false;                 // end the list at the cut
  friend bool operator==(const SearchSettings&, const SearchSettings&) = default;
};

struct SearchQuery {
  std::vector<Example> examples;
  SearchSettings settings;
  CatalogFilter filter = {};  // of a saved search, beside that of the session
  friend bool operator==(const SearchQuery&, const SearchQuery&) = default;
};

struct SearchAnswer {
  std::shared_ptr<const SearchResult> result;
  SearchOptions options;
  int likely = 0;        // so many of the hits are more similar than chance explains; 0 if nothing can be said
  bool judged = false;   // something can be said
  double encode_ms = 0;  // 0 = no encoder was needed
};

inline constexpr int kMostHits = 500;
inline constexpr double kCutPrecision = 0.9;
inline constexpr float kNegativeWeight = 0.5F;  // of an example of what is not wanted

// On a thread of the search lane, which keeps encoded examples and, once a picture that is not in the library was
// asked about, the encoder. Throws what decoding and Library::search() throw.
SearchAnswer answer(JobContext& context, const SearchQuery& query, const CatalogFilter& filter,
                    const MakeEncoder& make);

}  // namespace tessera::gui
