// Search by pictures: what is asked, in jobs, and what comes back.
#include "browse/search_page.h"

#include <QAction>
#include <QImage>
#include <QLabel>
#include <QLocale>
#include <QMimeData>
#include <QUrl>

#include "browse/grid_footer.h"
#include "browse/grid_view.h"

namespace tessera::gui {
namespace {

constexpr std::size_t kHistory = 100;

std::vector<std::filesystem::path> picture_files(const QMimeData* data) {
  std::vector<std::filesystem::path> files;
  for (const QUrl& url : data->urls()) {
    if (!url.isLocalFile()) continue;
    const QByteArray encoded = url.path(QUrl::FullyEncoded).toLatin1();
    std::filesystem::path path = QByteArray::fromPercentEncoding(encoded).toStdString();
    if (has_image_extension(path)) files.push_back(std::move(path));
  }
  return files;
}

Image to_image(const QImage& any) {
  const QImage rgb = any.convertToFormat(QImage::Format_RGB888);
  Image image{rgb.width(), rgb.height(), {}};
  const auto row = static_cast<std::size_t>(rgb.width()) * 3;
  image.rgb.resize(row * static_cast<std::size_t>(rgb.height()));
  for (int y = 0; y < rgb.height(); ++y) {
    std::copy_n(rgb.constScanLine(y), row, image.rgb.data() + row * static_cast<std::size_t>(y));
  }
  return image;
}

}  // namespace

bool SearchPage::holdsPicture(const QMimeData* mime) {
  return mime != nullptr && (mime->hasImage() || !picture_files(mime).empty());
}

void SearchPage::search(const SearchQuery& query) {
  history_.resize(static_cast<std::size_t>(place_ + 1));
  history_.push_back(query);
  if (history_.size() > kHistory) history_.erase(history_.begin());
  place_ = static_cast<int>(history_.size()) - 1;
  query_ = query;
  showChips();
  showSettings();
  enableHistory();
  ask();
  Q_EMIT session().pageWanted(name());
}

void SearchPage::addExamples(const std::vector<Example>& examples) {
  SearchQuery query = query_;
  for (const Example& example : examples) {
    if (std::find(query.examples.begin(), query.examples.end(), example) == query.examples.end()) {
      query.examples.push_back(example);
    }
  }
  search(query);
}

void SearchPage::searchFiles(const std::vector<std::filesystem::path>& files) {
  SearchQuery query{{}, query_.settings};
  for (const std::filesystem::path& file : files) query.examples.push_back({0, file, nullptr, {}, false});
  search(query);
}

std::vector<Example> SearchPage::examplesOf(const std::vector<ImageId>& ids) const {
  const LibrarySnapshot& snapshot = *session().library().snapshot();
  std::vector<Example> examples;
  for (const ImageId id : ids) {
    const auto row = snapshot.find(id);
    if (row && snapshot[*row].tokens > 0) examples.push_back({id, snapshot.path(*row), nullptr, {}, false});
  }
  return examples;
}

void SearchPage::searchPictures(const std::vector<ImageId>& ids) {
  std::vector<Example> examples = examplesOf(ids);
  if (examples.empty()) {
    Q_EMIT session().message(tr("This picture could not be read, so nothing can be compared with it."));
    return;
  }
  search({std::move(examples), query_.settings});
}

void SearchPage::searchRegion(const std::filesystem::path& file, const QRectF& fraction) {
  search({{{0, file, nullptr, fraction, false}}, query_.settings});
}

bool SearchPage::searchMime(const QMimeData* mime, bool add) {
  if (!holdsPicture(mime)) return false;
  std::vector<Example> examples;
  for (std::filesystem::path& file : picture_files(mime)) examples.push_back({0, std::move(file), nullptr, {}, false});
  if (!examples.empty() || !mime->hasImage()) {
    add ? addExamples(examples) : search({std::move(examples), query_.settings});
    return true;
  }
  session().jobs().run(
      Lane::kMemory, this,
      [image = qvariant_cast<QImage>(mime->imageData())](JobContext&) {
        return std::make_shared<const Image>(to_image(image));
      },
      [this, add](std::shared_ptr<const Image> image) {
        const Example example{0, {}, std::move(image), {}, false};
        add ? addExamples({example}) : search({{example}, query_.settings});
      });
  return true;
}

void SearchPage::goBack() {
  if (place_ <= 0) return;
  query_ = history_[static_cast<std::size_t>(--place_)];
  showChips();
  showSettings();
  enableHistory();
  ask();
}

void SearchPage::goForward() {
  if (place_ + 1 >= static_cast<int>(history_.size())) return;
  query_ = history_[static_cast<std::size_t>(++place_)];
  showChips();
  showSettings();
  enableHistory();
  ask();
}

void SearchPage::enableHistory() {
  back_->setEnabled(place_ > 0);
  forward_->setEnabled(place_ + 1 < static_cast<int>(history_.size()));
}

// One question at a time; while it is answered only the newest waits.
void SearchPage::ask() {
  if (job_.running()) {
    again_ = true;
    return;
  }
  problem_->hide();
  const bool wanted = std::any_of(query_.examples.begin(), query_.examples.end(),
                                  [](const Example& example) { return !example.negative; });
  if (!wanted) {
    answer_.reset();
    showResult();
    return;
  }
  asked_.start();
  const auto next = [this] {
    job_ = {};
    if (std::exchange(again_, false)) ask();
    Q_EMIT screenshotReadyChanged();
  };
  job_ = session().jobs().run(
      Lane::kSearch, this,
      [query = query_, filter = session().filter(), make = session().makeEncoder()](JobContext& context) {
        return gui::answer(context, query, filter, make);
      },
      [this, next](SearchAnswer answer) {
        answer_ = std::move(answer);
        showResult();
        last_ms_ = double(asked_.nsecsElapsed()) / 1e6;
        next();
      },
      [this, next](const JobError& error) {
        answer_.reset();
        showResult();
        problem_->setText(error.message);
        problem_->show();
        next();
      });
}

void SearchPage::showResult() {
  const std::shared_ptr<const LibrarySnapshot> snapshot = session().library().snapshot();
  Arrangement arrangement;
  std::vector<SearchHit> hits;
  int likely = 0;
  if (answer_) {
    for (std::size_t i = 0; i < answer_->result->hits.size(); ++i) {
      const SearchHit& hit = answer_->result->hits[i];
      const auto row = snapshot->find(hit.id);
      if (!row) continue;  // newer than what is shown
      arrangement.rows.push_back(*row);
      hits.push_back(hit);
      if (static_cast<int>(i) < answer_->likely) ++likely;
    }
    const int count = static_cast<int>(hits.size());
    if (answer_->judged) {
      if (likely > 0) arrangement.groups.push_back({0, tr("Likely related")});
      if (likely < count) {
        arrangement.groups.push_back({likely, likely > 0 ? tr("No more similar than chance explains")
                                                         : tr("Nothing stands out; the nearest pictures")});
      }
    }
  }
  view_->replace([&] { list_->show(snapshot, std::move(arrangement), std::move(hits)); });
  if (!answer_) {
    footer_->setCount({});
    view_->setPlaceholder(query_.examples.empty()
                              ? tr("Drop a picture here, paste one with Ctrl+V,\nor press S on a picture of the "
                                   "library to find similar ones.")
                              : tr("Searching needs at least one example of what is wanted."));
  } else {
    const QLocale locale;
    QString text = tr("%1 results").arg(locale.toString(list_->count()));
    if (answer_->judged) text = tr("%1 of %2 likely related").arg(locale.toString(likely), text);
    footer_->setCount(tr("%1, %2 searched").arg(text, locale.toString(qlonglong{answer_->result->searched})));
    view_->setPlaceholder(tr("No picture of the library is more similar than chance explains."));
  }
  showSearch();
}

void SearchPage::showSearch() const {
  if (!answer_ || query_.examples.empty()) {
    session().setShownSearch(std::nullopt);
    return;
  }
  const auto first = std::find_if(query_.examples.begin(), query_.examples.end(),
                                  [](const Example& example) { return !example.negative; });
  session().setShownSearch(ShownSearch{first->file, first->picture, first->region, answer_->options, answer_->result});
}

void SearchPage::restart() {
  job_.cancel();
  job_ = {};
  again_ = false;
  opening_.cancel();
  query_.examples.clear();
  query_.filter = {};
  history_.clear();
  place_ = -1;
  answer_.reset();
  showChips();
  enableHistory();
  showResult();
}

bool SearchPage::screenshotReady() const { return !job_.running() && view_->thumbnailsReady(); }

}  // namespace tessera::gui
