// Suggested selections and groups in the window: the engine's answers, for the library, a selection and a collection.
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QMenu>
#include <QSpinBox>
#include <QTest>
#include <algorithm>

#include "app/main_window.h"
#include "browse/grid_page.h"
#include "browse/grid_view.h"
#include "curate/clusters_page.h"
#include "curate/collection_page.h"
#include "curate/curation_model.h"
#include "curate/suggestions_page.h"
#include "gui_fixture.h"
#include "tessera/indexer/clusters.h"
#include "tessera/indexer/diversity.h"
#include "tessera/indexer/outliers.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;

constexpr int kPictures = 40;

class SuggestTest : public QObject {
  Q_OBJECT

 public:
  explicit SuggestTest(const fs::path& dir) : dir_(dir) {}

 private Q_SLOTS:
  void initTestCase() {
    test::write_pictures(dir_ / "photos", kPictures);
    test::make_library(dir_ / "library", {dir_ / "photos"});
  }
  void init() {
    window_ = test::make_window(1000, 700);
    window_->show();
    window_->session().openLibrary(dir_ / "library");
    window_->showPage(QStringLiteral("grid"));
    QVERIFY(test::wait_until([&] { return grid()->list()->count() == kPictures; }));
  }
  void cleanup() { window_.reset(); }

  void aVariedSelectionOfTheLibraryIsSelected() {
    choose(QStringLiteral("Suggest a varied selection"));
    auto* page = suggestions();
    page->findChild<QSpinBox*>()->setValue(7);
    QVERIFY(ready(page) && page->list()->count() == 7);
    const Library library = Library::open(dir_ / "library", OpenMode::kRead);
    const PictureVectors vectors = library.vectors();
    DiverseOptions options;
    options.count = 7;
    std::vector<ImageId> wanted;
    for (const DiversePicked& picked : pick_diverse(vectors.vectors, options)) {
      wanted.push_back(vectors.ids[picked.row]);
    }
    QVERIFY(page->list()->ids() == wanted);
    QVERIFY(page->selectedPictures() == wanted);

    // A suggestion is a selection like any other.
    QTest::keyClick(page->view(), Qt::Key_3);
    CurationModel& model = CurationModel::of(window_->session());
    for (const ImageId id : wanted) {
      QVERIFY(test::wait_until([&] { return model.marks(id).marks.rating == 3; }));
    }
  }

  void ofASelectionOnlyItsPicturesAreSuggested() {
    std::vector<ImageId> chosen = grid()->list()->ids();
    chosen.resize(12);
    grid()->view()->selectionModel()->clear();
    grid()->view()->select(chosen);
    choose(QStringLiteral("Least like the rest"));
    suggestions()->findChild<QSpinBox*>()->setValue(5);
    QVERIFY(ready(suggestions()) && suggestions()->list()->count() == 5);
    for (const ImageId id : suggestions()->list()->ids()) {
      QVERIFY(std::find(chosen.begin(), chosen.end(), id) != chosen.end());
    }
    const Library library = Library::open(dir_ / "library", OpenMode::kRead);
    const PictureVectors vectors = library.vectors(chosen);
    OutlierOptions options;
    options.count = 5;
    QCOMPARE(suggestions()->list()->id(0), vectors.ids[find_outliers(vectors.vectors, options).front().row]);
  }

  void moreLikeACollectionFindsOthers() {
    std::vector<ImageId> members = grid()->list()->ids();
    members.resize(4);
    CurationModel& model = CurationModel::of(window_->session());
    model.createCollection(QStringLiteral("Like these"), members);
    QVERIFY(test::wait_until([&] { return !model.collections().empty(); }));
    auto* collection = qobject_cast<CollectionPage*>(window_->page(QStringLiteral("collection")));
    collection->showCollection(model.collections().front().id);
    window_->showPage(QStringLiteral("collection"));
    QVERIFY(test::wait_until([&] { return collection->view()->list()->count() == 4; }));
    collection->view()->selectionModel()->clear();
    choose(QStringLiteral("More like these"));
    QVERIFY(ready(suggestions()) && suggestions()->list()->count() == 20);
    for (const ImageId id : suggestions()->list()->ids()) {
      QVERIFY(std::find(members.begin(), members.end(), id) == members.end());
    }
  }

  void moreLikeNothingSaysWhatToDo() {
    grid()->view()->selectionModel()->clear();
    choose(QStringLiteral("More like these"));
    QVERIFY(ready(suggestions()));
    QCOMPARE(suggestions()->list()->count(), 0);
    const auto labels = suggestions()->findChildren<QLabel*>();
    QVERIFY(std::any_of(labels.begin(), labels.end(), [](const QLabel* label) {
      return label->text().startsWith(QStringLiteral("Choose some pictures"));
    }));
  }

  void groupsAreThoseOfTheEngine() {
    grid()->view()->selectionModel()->clear();
    choose(QStringLiteral("Group by what is shown"));
    auto* page = clusters();
    page->findChild<QSpinBox*>()->setValue(4);
    QVERIFY(ready(page));
    const Library library = Library::open(dir_ / "library", OpenMode::kRead);
    const PictureVectors vectors = library.vectors();
    ClusterOptions options;
    options.count = 4;
    const std::vector<Cluster> wanted = find_clusters(vectors.vectors, options);
    QCOMPARE(page->list()->groups().size(), wanted.size());
    for (std::size_t g = 0; g < wanted.size(); ++g) {
      const Group& group = page->list()->groups()[g];
      QVERIFY(group.title.contains(QString::number(wanted[g].members.size())));
      QCOMPARE(page->list()->id(group.first), vectors.ids[wanted[g].members.front().row]);
    }
    QVERIFY(page->list()->count() <= 4 * ClustersPage::kRepresentatives);

    page->findChild<QCheckBox*>()->setChecked(true);
    QVERIFY(test::wait_until([&] { return page->list()->count() == kPictures; }));
    auto* method = page->findChild<QComboBox*>();
    method->setCurrentIndex(1);
    Q_EMIT method->activated(1);
    QVERIFY(ready(page));
    options.method = ClusterMethod::kAverageLinkage;
    QCOMPARE(page->list()->id(0), vectors.ids[find_clusters(vectors.vectors, options).front().members.front().row]);
  }

 private:
  void choose(const QString& text) {
    for (QAction* action : window_->menu(MainWindow::Menu::kTools)->actions()) {
      if (QString(action->text()).remove(QLatin1Char('&')) == text) return action->trigger();
    }
    QFAIL(qPrintable(text));
  }
  bool ready(const Page* page) {
    return test::wait_until([&] { return page->isVisible() && page->screenshotReady(); });
  }
  GridPage* grid() { return qobject_cast<GridPage*>(window_->page(QStringLiteral("grid"))); }
  SuggestionsPage* suggestions() {
    return qobject_cast<SuggestionsPage*>(window_->page(QStringLiteral("suggestions")));
  }
  ClustersPage* clusters() { return qobject_cast<ClustersPage*>(window_->page(QStringLiteral("clusters"))); }

  fs::path dir_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) { return tessera::gui::test::run_suite<tessera::gui::SuggestTest>(argc, argv); }

#include "suggest_test.moc"
