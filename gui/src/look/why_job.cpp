// The job behind the page that says why a picture was found.
#include "look/why_job.h"

#include <algorithm>

#include "look/picture_loader.h"
#include "tessera/error.h"
#include "tessera/indexer/query_picture.h"

namespace tessera::gui {
namespace {

constexpr int kShownSide = 900;  // of the pictures, shorter side

struct Match {
  SearchHit hit;
  SearchOptions options;
  std::int64_t searched = 0;
};

Match match_in_search(const WhyQuestion& question) {
  const SearchResult& result = *question.search->result;
  for (const SearchHit& hit : result.hits) {
    if (hit.id == question.picture) return {hit, question.search->options, result.searched};
  }
  throw Error(ErrorCode::kNotFound, "This picture is not among the results of the search that is shown.");
}

Match nearest(const Library& library, ImageId id) {
  Query query;
  query.parts.push_back(library.tokens(id));
  query.width = static_cast<int>(query.parts[0].tokens.size()) / query.parts[0].token_count;
  SearchOptions options;
  options.k = 1;
  options.exclude = {id};
  options.calibrate = true;
  const SearchResult result = library.search(query, options);
  if (result.hits.empty()) throw Error(ErrorCode::kNotFound, "There is no other picture to compare this one with.");
  return {result.hits[0], options, result.searched};
}

QRectF part_of_picture(const QSize& size, const QRectF& region, const ResizeSpec& resize) {
  const QRectF within = region.isNull() ? QRectF(0, 0, 1, 1) : region;
  const ImagePart part = prepared_part(std::max(1, int(within.width() * size.width())),
                                       std::max(1, int(within.height() * size.height())), resize);
  return {within.x() + part.x * within.width(), within.y() + part.y * within.height(), part.width * within.width(),
          part.height * within.height()};
}

std::shared_ptr<const DisplayPicture> picture_of(const Image& image) {
  auto picture = std::make_shared<DisplayPicture>();
  picture->size = QSize(image.width, image.height);
  picture->levels.push_back(to_qimage(image));
  return picture;
}

Image prepared(const std::filesystem::path& file, const Image* picture, const QRectF& fraction,
               const ResizeSpec& resize) {
  const PictureRegion region{fraction.x(), fraction.y(), fraction.width(), fraction.height(), true};
  const PictureRegion* part = fraction.isNull() ? nullptr : &region;
  return picture != nullptr ? prepare_query_picture(*picture, part, resize) : prepare_query_picture(file, part, resize);
}

}  // namespace

WhyAnswer answer_why(JobContext& context, const WhyQuestion& question, const MakeEncoder& make,
                     const WhyObserver& observer) {
  const Library& library = context.library();
  const auto settings = library.encoder();
  if (!settings) throw Error(ErrorCode::kNotFound, "The library is still empty.");
  const Match match = question.search ? match_in_search(question) : nearest(library, question.picture);
  ShownSearch search = question.search.value_or(ShownSearch{});
  WhyAnswer answer;
  answer.result_id = match.hit.id;
  if (!question.search) answer.query_id = question.picture;
  answer.sentence = QString::fromStdString(match_sentence(match.hit, match.options, match.searched));
  answer.result = std::make_shared<const DisplayPicture>(load_from_library(context, match.hit.id, kShownSide));
  if (question.search && search.picture) {
    answer.query = picture_of(*search.picture);
  } else {
    answer.query = std::make_shared<const DisplayPicture>(
        question.search ? load_display_picture(search.file, kShownSide, context.stop())
                        : load_from_library(context, question.picture, kShownSide));
    answer.query_file = search.file = answer.query->path;
  }
  answer.query_part = part_of_picture(answer.query->size, search.region, settings->resize);
  answer.result_part = part_of_picture(answer.result->size, {}, settings->resize);
  observer.pictures(answer);

  ExplainOptions options;
  options.search = match.options;
  options.stored_tokens = settings->stored_tokens;
  const Image query = prepared(search.file, search.picture.get(), search.region, settings->resize);
  const Image result = prepared(answer.result->path, nullptr, {}, settings->resize);
  context.throwIfCancelled();
  answer.explanation =
      explain_match(library_encoder(context, make), query, result, options, observer.progress, context.stop());
  answer.explained = true;
  return answer;
}

}  // namespace tessera::gui
