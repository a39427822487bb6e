// The job that answers what is searched for.
#include "browse/search_query.h"

#include <QCoreApplication>
#include <algorithm>
#include <chrono>
#include <deque>

#include "app/library_snapshot.h"
#include "tessera/error.h"
#include "tessera/indexer/query_picture.h"
#include "tessera/indexer/saved_search.h"

namespace tessera::gui {
namespace {

constexpr std::size_t kExamplesKept = 64;

struct KeptExamples {
  struct Entry {
    Example example;
    QueryPart part;
  };
  std::deque<Entry> entries;
};

QueryPart encode(JobContext& context, const Example& example, const MakeEncoder& make) {
  const auto settings = context.library().encoder();
  if (!settings) throw Error(ErrorCode::kNotFound, "the library is still empty");
  PictureRegion region{example.region.x(), example.region.y(), example.region.width(), example.region.height(), true};
  const PictureRegion* part = example.region.isNull() ? nullptr : &region;
  Image prepared = example.picture ? prepare_query_picture(*example.picture, part, settings->resize)
                                   : prepare_query_picture(example.file, part, settings->resize);
  context.throwIfCancelled();
  return encode_query_picture(library_encoder(context, make), std::move(prepared), settings->stored_tokens, 1.0F);
}

QueryPart part_of(JobContext& context, Example example, const MakeEncoder& make, double& encode_ms) {
  if (example.id != 0 && example.region.isNull()) return context.library().tokens(example.id);
  example.negative = false;
  auto& kept = context.kept<KeptExamples>();
  if (!kept) kept = std::make_shared<KeptExamples>();
  const auto found = std::find_if(kept->entries.begin(), kept->entries.end(),
                                  [&](const KeptExamples::Entry& entry) { return entry.example == example; });
  if (found != kept->entries.end()) return found->part;
  const auto start = std::chrono::steady_clock::now();
  QueryPart part = encode(context, example, make);
  encode_ms += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  kept->entries.push_back({example, part});
  if (kept->entries.size() > kExamplesKept) kept->entries.pop_front();
  return part;
}

}  // namespace

QString Example::name() const {
  if (!file.empty()) return pathText(file.filename());
  return QCoreApplication::translate("Example", "from the clipboard");
}

SearchAnswer answer(JobContext& context, const SearchQuery& query, const CatalogFilter& filter,
                    const MakeEncoder& make) {
  SearchAnswer answer;
  Query parts;
  for (const Example& example : query.examples) {
    QueryPart part = part_of(context, example, make, answer.encode_ms);
    part.weight = example.negative ? -kNegativeWeight : 1.0F;
    parts.width = static_cast<int>(part.tokens.size()) / std::max(1, part.token_count);
    parts.parts.push_back(std::move(part));
    if (example.id != 0 && example.region.isNull()) answer.options.exclude.push_back(example.id);
    context.throwIfCancelled();
  }
  answer.options.only = passing_both(context.library(), filter, query.filter);
  answer.options.k = kMostHits;
  answer.options.candidates = kMostHits;
  answer.options.tokens = query.settings.tokens;
  answer.options.rerank_weight = static_cast<float>(query.settings.composition);
  answer.options.calibrate = true;
  auto result = std::make_shared<SearchResult>(context.library().search(parts, answer.options));
  answer.judged = result->background > 0;
  answer.likely = static_cast<int>(likely_related(result->hits, kCutPrecision));
  if (query.settings.likely_only && answer.judged) result->hits.resize(static_cast<std::size_t>(answer.likely));
  answer.result = std::move(result);
  return answer;
}

}  // namespace tessera::gui
