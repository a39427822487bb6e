// Why a picture was found.
#include "look/why_page.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QToolButton>
#include <algorithm>

#include "look/page_parts.h"
#include "look/picture_view.h"
#include "look/why_job.h"

namespace tessera::gui {
namespace {

constexpr float kAlike = 0.3F;  // below, a tile has no partner

}  // namespace

QString strongestPlace(const TileMap& map) {
  if (map.values.empty()) return {};
  const auto at = static_cast<int>(std::max_element(map.values.begin(), map.values.end()) - map.values.begin());
  const auto third = [](int index, int count) { return std::min(2, (2 * index + 1) * 3 / (2 * count)); };
  const QString names[3][3] = {{WhyPage::tr("upper left"), WhyPage::tr("top"), WhyPage::tr("upper right")},
                               {WhyPage::tr("left"), WhyPage::tr("middle"), WhyPage::tr("right")},
                               {WhyPage::tr("lower left"), WhyPage::tr("bottom"), WhyPage::tr("lower right")}};
  return names[third(at / map.columns, map.rows)][third(at % map.columns, map.columns)];
}

std::vector<float> shownMap(const TileMap& map) {
  std::vector<float> shown = map.values;
  const float most = shown.empty() ? 0.0F : *std::max_element(shown.begin(), shown.end());
  for (float& value : shown) value = most > 0 ? std::clamp(value / most, 0.0F, 1.0F) : 0.0F;
  return shown;
}

WhyPage::WhyPage(Session& session, QWidget* parent) : Page(session, QStringLiteral("why"), tr("Why"), parent) {
  query_view_ = new PictureView(this);
  query_view_->setAccessibleName(tr("Query"));
  result_view_ = new PictureView(this);
  result_view_->setAccessibleName(tr("Result"));
  maps_ = makeAction(this, tr("Darken what does not count"), {Qt::Key_M}, [] {});
  maps_->setCheckable(true);
  maps_->setChecked(true);
  connect(maps_, &QAction::toggled, this, [this] { showMaps(); });
  stop_ =
      makeAction(this, tr("Stop looking for reasons"), {QKeySequence(Qt::CTRL | Qt::Key_Period)}, [this] { cancel(); });
  actions_ = {maps_, stop_};

  auto* sides = new QHBoxLayout;
  sides->setSpacing(3);
  sides->addWidget(makeSide(query_view_, query_caption_, tr("Query")), 1);
  sides->addWidget(makeSide(result_view_, result_caption_, tr("Result")), 1);
  sentence_ = new QLabel(this);
  sentence_->setWordWrap(true);
  sentence_->setAccessibleName(tr("Reason"));
  sentence_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  sentence_->setContentsMargins(12, 6, 12, 6);
  QFont large = sentence_->font();
  large.setPointSizeF(large.pointSizeF() * 1.15);
  sentence_->setFont(large);
  progress_ = new QProgressBar(this);
  progress_->setAccessibleName(tr("Looking for reasons"));
  progress_->setFixedWidth(fontMetrics().averageCharWidth() * 20);
  auto* bar = new QHBoxLayout;
  bar->setContentsMargins(8, 2, 8, 2);
  bar->addWidget(sentence_, 1);
  bar->addWidget(progress_);
  addButton(bar, stop_, tr("Stop"));
  addButton(bar, maps_, tr("Map"));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addLayout(sides, 1);
  layout->addLayout(bar);
  setFocusProxy(result_view_);
  showProblem(tr("Press W on a picture to see why it was found, or what it has in common with the one most like it."));

  connect(result_view_, &PictureView::hovered, this, &WhyPage::showMatchingTile);
  connect(&session, &Session::whyWanted, this, [this](ImageId id) {
    explain(id);
    Q_EMIT this->session().pageWanted(name());
  });
  connect(&session, &Session::libraryOpened, this, [this] {
    cancel();
    answer_ = {};
    showProblem({});
  });
  connect(&session.library(), &LibraryModel::changed, this, [this] {
    if (isVisible() && answer_.result_id == 0) showEvent(nullptr);
  });
}

QWidget* WhyPage::makeSide(PictureView* view, QLabel*& caption, const QString& title) {
  auto* side = new QWidget(this);
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  caption = makeLine(side);
  caption->setText(title);
  caption->setContentsMargins(8, 3, 8, 3);
  column->addWidget(view, 1);
  column->addWidget(caption);
  return side;
}

void WhyPage::showEvent(QShowEvent* event) {
  if (event != nullptr) Page::showEvent(event);
  const LibrarySnapshot& snapshot = *session().library().snapshot();
  if (answer_.result_id == 0 && !running() && snapshot.size() > 1) explain(snapshot[0].id);
}

void WhyPage::hideEvent(QHideEvent* event) {
  Page::hideEvent(event);
  cancel();
}

void WhyPage::cancel() {
  if (!running()) return;
  job_.cancel();
  progress_->hide();
  stop_->setEnabled(false);
}

void WhyPage::explain(ImageId id) {
  cancel();
  answer_ = {};
  query_view_->setOverlay({});
  result_view_->setOverlay({});
  query_view_->setText(tr("Loading…"));
  result_view_->setText(tr("Loading…"));
  sentence_->clear();
  progress_->setRange(0, 0);
  progress_->show();
  stop_->setEnabled(true);
  const WhyQuestion question{id, session().shownSearch()};
  job_ = session().jobs().run(
      Lane::kSearch, this,
      [this, question, make = session().makeEncoder()](JobContext& context) {
        WhyObserver observer;
        observer.pictures = [&](const WhyAnswer& answer) { context.post([this, answer] { showPictures(answer); }); };
        observer.progress = [&](int done, int total) {
          context.post([this, done, total] {
            progress_->setRange(0, total);
            progress_->setValue(done);
          });
        };
        return answer_why(context, question, make, observer);
      },
      [this](WhyAnswer answer) {
        answer_ = std::move(answer);
        progress_->hide();
        stop_->setEnabled(false);
        showMaps();
        sentence_->setText(sentence());
      },
      [this](const JobError& error) { showProblem(error.message); });
}

void WhyPage::showPictures(const WhyAnswer& answer) {
  answer_ = answer;
  query_view_->setPicture(answer.query, answer.query->size);
  result_view_->setPicture(answer.result, answer.result->size);
  query_view_->setFit();
  result_view_->setFit();
  query_caption_->setText(answer.query_file.empty() ? tr("Query")
                                                    : tr("Query    %1").arg(pathText(answer.query_file.filename())));
  result_caption_->setText(tr("Result    %1").arg(pathText(answer.result->path.filename())));
  sentence_->setText(sentence());
  Q_EMIT selectionChanged();
}

QString WhyPage::sentence() const {
  if (!answer_.explained) return answer_.sentence;
  const QString place = strongestPlace(answer_.explanation.result);
  return tr("%1 What counts most in the result: %2.").arg(answer_.sentence, place);
}

void WhyPage::showMaps() {
  const auto overlay = [&](const TileMap& map, const QRectF& part) {
    if (!answer_.explained || !maps_->isChecked()) return PictureOverlay{};
    return PictureOverlay{map.columns, map.rows, shownMap(map), part};
  };
  query_view_->setOverlay(overlay(answer_.explanation.query, answer_.query_part));
  result_view_->setOverlay(overlay(answer_.explanation.result, answer_.result_part));
}

// The tile of the query that is most like the one under the mouse.
void WhyPage::showMatchingTile(const QPointF& point) {
  const int tile = result_view_->tileAt(point);
  const auto& matches = answer_.explanation.matches;
  const bool alike =
      tile >= 0 && tile < static_cast<int>(matches.size()) && matches[std::size_t(tile)].similarity >= kAlike;
  result_view_->setMarkedTile(alike ? tile : -1);
  query_view_->setMarkedTile(alike ? matches[std::size_t(tile)].tile : -1);
}

void WhyPage::showProblem(const QString& text) {
  progress_->hide();
  stop_->setEnabled(false);
  query_view_->setText({});
  result_view_->setText(text);
  sentence_->clear();
  query_caption_->setText(tr("Query"));
  result_caption_->setText(tr("Result"));
}

std::vector<ImageId> WhyPage::selectedPictures() const {
  const auto id = currentPicture();
  return id ? std::vector<ImageId>{*id} : std::vector<ImageId>();
}

std::optional<ImageId> WhyPage::currentPicture() const {
  return answer_.result_id == 0 ? std::nullopt : std::optional(answer_.result_id);
}

}  // namespace tessera::gui
