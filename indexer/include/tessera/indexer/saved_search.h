// A whole search as a collection of kind kSavedSearch keeps it: examples, settings and conditions, as lines of text.
//
// Thread rule: any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/indexer/catalog_filter.h"
#include "tessera/indexer/library.h"
#include "tessera/indexer/query_picture.h"

namespace tessera {

// A picture of the library, known by its content, or another file.
struct SavedExample {
  std::optional<ContentHash> content;   // none: not of the library when it was saved
  std::filesystem::path file;           // absolute; of a content where it was then, to name it
  std::optional<PictureRegion> region;  // in fractions; none = all of the picture
  bool negative = false;                // not like this
};

struct SavedSearch {
  std::vector<SavedExample> examples;  // empty: `filter` alone says what is in the collection
  CatalogFilter filter;
  // As in SearchOptions.
  int tokens = 0;
  float rerank_weight = SearchOptions{}.rerank_weight;
  double precision = 0;     // the list ends at the cut of this precision; 0 = it does not
  float not_weight = 0.5F;  // of each negative example, above 0
};

// Lines of NAME VALUE: those of filter_text(), before them, if there are examples,
//   like CONTENT PATH | unlike CONTENT PATH   CONTENT: digest:bytes, or - for a file that is not of the library
//   region X,Y,WIDTH,HEIGHT                   of the example before it
//   tokens N   rerank-weight W   precision P   not-weight W
// A filter alone gives filter_text(). Both throw kInvalidArgument: a path with a line break, a relative path, a line
// that is not understood, no positive example, numbers out of range.
std::string saved_search_text(const SavedSearch& search);
SavedSearch parse_saved_search(std::string_view text);

// Is it a search by pictures, not a filter alone? Says so of damaged text as well.
bool searches_by_pictures(std::string_view text);

// Pictures that meet both filters, ascending, for SearchOptions::only: the conditions of a saved search and those of
// the moment. None if neither filter says anything.
std::optional<std::vector<ImageId>> passing_both(const Library& library, const CatalogFilter& one,
                                                 const CatalogFilter& other);

// Where an example is now: the picture of the library with its content, wherever its file has moved, else the file.
struct FoundExample {
  ImageId id = 0;              // 0 = not of the library
  std::filesystem::path file;  // a present one, if there is one
};
// Throws kNotFound if neither the content is in the library nor the file on disk.
FoundExample find_example(const Library& library, const SavedExample& example);

}  // namespace tessera
