// The grid and the search page with a synthetic library of 100,000 pictures: first paint, frames of scrolling, sorting,
// and the sliders. Reference: Qt's own icon view over the same model and cell painter.
#include <QApplication>
#include <QListView>
#include <QPainter>
#include <QScrollBar>
#include <QStyledItemDelegate>
#include <QTest>
#include <iostream>

#include "app/main_window.h"
#include "browse/cell_painter.h"
#include "browse/grid_footer.h"
#include "browse/grid_page.h"
#include "browse/grid_view.h"
#include "browse/library_extension.h"
#include "browse/search_page.h"
#include "catalog/catalog.h"
#include "search_bench_util.h"

namespace tessera::gui {
namespace {

namespace fs = std::filesystem;
using bench::require;
using nlohmann::json;

struct Options {
  int pictures = 100'000;
  int width = 768;
  int tokens = 16;
  int repeat = 21;
  int frames = 300;
};

constexpr int kThumbnails = 4000;  // pictures that have one, from the top of the grid
constexpr int kShapes = 24;        // different ones
constexpr int kPerFolder = 500;
constexpr int kPerSegment = 8192;

ContentHash hash_of(int picture) {
  ContentHash hash;
  for (std::size_t i = 0; i < 16; ++i)
    hash.digest[i] =
        static_cast<std::uint8_t>(unsigned(picture) * 2654435761U >> (i % 4 * 8)) ^ static_cast<std::uint8_t>(i * 29);
  for (std::size_t i = 0; i < 4; ++i) hash.digest[12 + i] = static_cast<std::uint8_t>(picture >> (8 * i));
  hash.bytes = 2'000'000 + unsigned(picture) % 9'000'000;
  return hash;
}

void make_library(const fs::path& dir, const Options& options) {
  Library library = Library::open(dir, OpenMode::kCreate);
  LibraryEncoder encoder;
  encoder.model_name = "synthetic";
  encoder.weights_hash = "0123456789abcdef0123456789abcdef";
  encoder.token_width = options.width;
  encoder.stored_tokens = options.tokens;
  library.set_encoder(encoder);
  bench::SyntheticImages images(options.width, options.tokens, 2000, 0.6F, 7);
  catalog::Catalog catalog(dir / catalog::kCatalogName, catalog::Database::Access::kWrite);
  for (int first = 0; first < options.pictures; first += kPerSegment) {
    const int end = std::min(first + kPerSegment, options.pictures);
    const std::string name = "bench" + std::to_string(first) + ".seg";
    SegmentWriter writer(dir / "segments" / name,
                         {encoder.weights_hash, to_string(encoder.resize), options.width, options.tokens});
    for (int picture = first; picture < end; ++picture) writer.add(hash_of(picture), images.make(), options.tokens);
    const SegmentSummary summary = writer.finish();
    catalog::Transaction transaction(catalog.db(), catalog::Transaction::Kind::kWrite);
    const auto segment =
        catalog.add_segment({0, name, summary.rows, static_cast<std::int64_t>(summary.file_bytes), summary.checksum});
    for (int picture = first; picture < end; ++picture) {
      catalog::ImageRow row;
      row.hash = hash_of(picture);
      row.width = 6000;
      row.height = 4000;
      row.format = "jpeg";
      row.token_count = options.tokens;
      row.segment = segment;
      row.row = picture - first;
      row.taken = std::int64_t{1'200'000'000} + std::int64_t{picture} * 3571;
      const ImageId id = catalog.put_image(std::nullopt, row);
      const std::string path =
          "/photos/" + std::to_string(picture / kPerFolder) + "/IMG_" + std::to_string(picture) + ".jpg";
      catalog.put_file(path, {row.hash->bytes, *row.taken * 1'000'000'000, 0, 0}, id, 1);
    }
    transaction.commit();
  }
}

// Thumbnails of the newest pictures, as the cache has them.
void make_thumbnails(const Options& options) {
  const fs::path dir = thumbnail_cache_dir() / "256";
  std::vector<fs::path> shapes;
  for (int shape = 0; shape < kShapes; ++shape) {
    Image image{256, shape % 3 == 0 ? 256 : 171, {}};
    image.rgb.resize(std::size_t(3) * std::size_t(image.width) * std::size_t(image.height));
    for (std::size_t i = 0; i < image.rgb.size(); ++i)
      image.rgb[i] = static_cast<std::uint8_t>(i * std::size_t(shape + 1) / 311);
    fs::create_directories(dir);
    shapes.push_back(dir / ("shape" + std::to_string(shape) + ".jpg"));
    write_image(shapes.back(), image);
  }
  for (int i = 0; i < std::min(kThumbnails, options.pictures); ++i) {
    const ContentHash hash = hash_of(options.pictures - 1 - i);
    const std::string digest = hash.hex();
    const fs::path file = dir / digest.substr(0, 2) / (digest + "-" + std::to_string(hash.bytes) + ".jpg");
    fs::create_directories(file.parent_path());
    fs::create_hard_link(shapes[static_cast<std::size_t>(i % kShapes)], file);
  }
}

class Delegate : public QStyledItemDelegate {
 public:
  Delegate(Thumbnails& thumbnails, const PictureList& list, int side)
      : thumbnails_(thumbnails), list_(list), side_(side) {}
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const CellPainter cells(thumbnails_, option.font, option.palette);
    const CellState state{(option.state & QStyle::State_Selected) != 0, false, true};
    cells.paint(*painter, CellPainter::parts(option.rect, side_, option.font), list_, index.row(), state, side_);
  }
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const override {
    return CellPainter::cellSize(side_, option.font);
  }

 private:
  Thumbnails& thumbnails_;
  const PictureList& list_;
  int side_;
};

json summary(const std::vector<double>& ms) {
  return {{"median_ms", bench::quantile(ms, 0.5)},
          {"p95_ms", bench::quantile(ms, 0.95)},
          {"max_ms", bench::quantile(ms, 1)}};
}

// One frame: the bar moves, the viewport is painted.
double frame(QListView& view, int step) {
  return bench::milliseconds([&] {
    view.verticalScrollBar()->setValue(view.verticalScrollBar()->value() + step);
    view.viewport()->repaint();
  });
}

json scroll(QListView& view, const Options& options, int step) {
  view.verticalScrollBar()->setValue(0);
  std::vector<double> ms;
  for (int i = 0; i < options.frames; ++i) ms.push_back(frame(view, step));
  return summary(ms);
}

// As a user drags the bar: thumbnails come and go between the frames, and their work on the GUI thread counts.
json drag(GridView& view, const Options& options) {
  std::vector<double> ms;
  const int range = std::min(view.verticalScrollBar()->maximum(), 90'000);
  for (int i = 0; i < options.frames; ++i) {
    ms.push_back(bench::milliseconds([&] {
      view.verticalScrollBar()->setValue(i * 7919 % range);
      QApplication::processEvents();
      view.viewport()->repaint();
    }));
  }
  return summary(ms);
}

json first_paint(const Options& options, const std::function<QListView*()>& make) {
  std::vector<double> ms;
  for (int i = 0; i < options.repeat; ++i) {
    std::unique_ptr<QListView> view;
    ms.push_back(bench::milliseconds([&] {
      view.reset(make());
      view->resize(1280, 700);
      view->show();
      QApplication::processEvents();
      view->viewport()->repaint();
    }));
  }
  return summary(ms);
}

json measure(const Options& options) {
  MainWindow window(standardRegistry());
  window.resize(1280, 800);
  window.show();
  auto* grid = qobject_cast<GridPage*>(window.page(QStringLiteral("grid")));
  auto* search = qobject_cast<SearchPage*>(window.page(QStringLiteral("search")));
  window.showPage(QStringLiteral("grid"));
  json result;
  const double open_ms = bench::milliseconds([&] {
    window.session().openLibrary(fs::path(std::getenv("XDG_DATA_HOME")) / "library");
    require(QTest::qWaitFor([&] { return grid->list()->count() == options.pictures; }, 120'000),
            "the library is not shown");
  });
  result["open_to_shown_ms"] = open_ms;
  require(grid->list()->picture(0).hash == hash_of(options.pictures - 1), "the newest picture is not first");
  require(QTest::qWaitFor([&] { return grid->screenshotReady(); }, 60'000), "thumbnails do not come");
  Thumbnails& thumbnails = window.session().thumbnails();
  const auto load_below = [&](int rows) {
    std::vector<Thumbnails::Wish> wishes;
    for (int item = 0; item < rows; ++item) wishes.push_back({grid->list()->picture(item).hash, {}});
    thumbnails.want(&window, 256, std::move(wishes));
    require(QTest::qWaitFor([&] { return !thumbnails.waiting(&window); }, 120'000), "thumbnails do not come");
  };
  load_below(1200);
  require(!thumbnails.find(grid->list()->picture(1000).hash, 256).isNull(), "a thumbnail is missing");

  PictureList* list = grid->list();
  const auto make_grid = [&]() -> QListView* { return new GridView(window.session(), list); };
  Delegate delegate(thumbnails, *list, grid->view()->side());
  const auto make_plain = [&]() -> QListView* {
    auto* view = new QListView;
    view->setViewMode(QListView::IconMode);
    view->setResizeMode(QListView::Adjust);
    view->setUniformItemSizes(true);
    view->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    view->setItemDelegate(&delegate);
    view->setModel(list);
    return view;
  };
  result["first_paint"] = first_paint(options, make_grid);
  result["first_paint_qlistview"] = first_paint(options, make_plain);
  result["scroll_frame"] = scroll(*grid->view(), options, 60);
  result["drag_frame"] = drag(*grid->view(), options);
  const std::unique_ptr<QListView> plain(make_plain());
  plain->resize(grid->view()->size());
  plain->show();
  QApplication::processEvents();
  result["scroll_frame_qlistview"] = scroll(*plain, options, 60);

  const std::pair<const char*, Order> orders[] = {{"sort_name", {SortKey::kName, false, GroupKey::kNone}},
                                                  {"group_month", {SortKey::kDate, true, GroupKey::kMonth}},
                                                  {"group_folder", {SortKey::kDate, false, GroupKey::kFolder}},
                                                  {"sort_date", {SortKey::kDate, true, GroupKey::kNone}}};
  for (const auto& [name, order] : orders) {
    std::vector<double> ms;
    for (int i = 0; i < options.repeat; ++i) {
      bool shown = false;
      const auto connection = QObject::connect(list, &QAbstractItemModel::modelReset, [&] { shown = true; });
      grid->footer()->setOrder(order);
      ms.push_back(bench::milliseconds([&] {
        Q_EMIT grid->footer()->orderChanged();
        require(QTest::qWaitFor([&] { return shown; }, 60'000), "the order is not shown");
      }));
      QObject::disconnect(connection);
    }
    result[name] = summary(ms);
  }

  // Words in the path, and back to everything.
  std::vector<double> filter, unfilter;
  for (int i = 0; i < options.repeat; ++i) {
    CatalogFilter words;
    words.text = "IMG_" + std::to_string(1 + i % 9);
    filter.push_back(bench::milliseconds([&] {
      window.session().setFilter(words);
      require(QTest::qWaitFor([&] { return list->count() < options.pictures; }, 60'000), "the filter is not shown");
    }));
    require(list->count() > 0, "the filter keeps nothing");
    unfilter.push_back(bench::milliseconds([&] {
      window.session().setFilter({});
      require(QTest::qWaitFor([&] { return list->count() == options.pictures; }, 60'000), "the filter stays");
    }));
  }
  result["filter_words"] = summary(filter);
  result["filter_off"] = summary(unfilter);

  window.showPage(QStringLiteral("search"));
  search->searchPictures({list->id(17)});
  require(QTest::qWaitFor([&] { return search->answer().has_value(); }, 60'000), "the search does not end");
  std::vector<double> slide;
  std::vector<double> engine;
  for (int i = 0; i < options.repeat; ++i) {
    SearchQuery query = search->query();
    query.settings.composition = 0.04 * i;
    query.settings.tokens = 1 + i % options.tokens;
    search->search(query);
    require(QTest::qWaitFor(
                [&] {
                  return search->answer()->options.rerank_weight == static_cast<float>(0.04 * i) && !search->asking();
                },
                60'000),
            "no answer");
    require(search->list()->count() == kMostHits, "results are missing");
    slide.push_back(search->lastMs());
    const SearchResult& answer = *search->answer()->result;
    engine.push_back(answer.coarse_ms + answer.rerank_ms + answer.calibrate_ms);
  }
  result["slider_to_list"] = summary(slide);
  result["slider_engine"] = summary(engine);
  return result;
}

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) {
  using namespace tessera::gui;
  Options options;
  CLI::App app("Measures the grid and the search page of tessera-browser; prints JSON");
  app.add_option("--pictures", options.pictures)->check(CLI::Range(5000, 1'000'000));
  app.add_option("--width", options.width);
  app.add_option("--repeat", options.repeat)->check(CLI::Range(1, 1000));
  app.add_option("--frames", options.frames)->check(CLI::Range(1, 10'000));
  CLI11_PARSE(app, argc, argv);
  try {
    const tessera::bench::TemporaryFolder folder(fs::temp_directory_path());
    for (const char* variable : {"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"}) {
      setenv(variable, (folder.path() / variable).c_str(), 1);
    }
    make_library(folder.path() / "XDG_DATA_HOME" / "library", options);
    make_thumbnails(options);
    int none = 1;
    QApplication application(none, argv);
    QApplication::setOrganizationName(QStringLiteral("tessera"));
    QApplication::setApplicationName(QStringLiteral("gui_bench"));
    json result = measure(options);
    result["pictures"] = options.pictures;
    std::cout << result.dump(2) << '\n';
  } catch (const std::exception& error) {
    std::cerr << "gui_bench: " << error.what() << '\n';
    return 1;
  }
}
