// Picture files named on the command line.
#include "browse/start_request.h"

#include <QObject>
#include <algorithm>

#include "app/main_window.h"
#include "browse/grid_page.h"
#include "browse/grid_view.h"
#include "browse/search_page.h"
#include "look/survey_page.h"

namespace tessera::gui {
namespace {

std::vector<ImageId> ids_of(const LibrarySnapshot& snapshot, const std::vector<std::filesystem::path>& files) {
  std::vector<ImageId> ids(files.size(), 0);
  for (Row row = 0; row < snapshot.size(); ++row) {
    const auto found = std::find(files.begin(), files.end(), snapshot.path(row));
    if (found != files.end()) ids[static_cast<std::size_t>(found - files.begin())] = snapshot[row].id;
  }
  std::erase(ids, 0);
  return ids;
}

void show(MainWindow& window, const QString& page, const std::vector<std::filesystem::path>& files) {
  Session& session = window.session();
  const std::vector<ImageId> ids = ids_of(*session.library().snapshot(), files);
  if (page == QStringLiteral("loupe") && !ids.empty()) {
    Q_EMIT session.lookWanted(ids.front(), ids);
  } else if (page == QStringLiteral("compare") && ids.size() > 1) {
    Q_EMIT session.compareWanted(ids);
  } else if (auto* survey = qobject_cast<SurveyPage*>(window.page(page)); survey != nullptr && ids.size() > 1) {
    survey->survey(ids);
    window.showPage(page);
  } else if (page == QStringLiteral("grid")) {
    qobject_cast<GridPage*>(window.page(page))->selectOnceShown(ids);
    window.showPage(page);
  } else {
    qobject_cast<SearchPage*>(window.page(QStringLiteral("search")))->searchFiles(files);
    if (!page.isEmpty()) window.showPage(page);
  }
}

}  // namespace

void showAtStart(MainWindow& window, const QString& page, const std::vector<std::filesystem::path>& files) {
  if (!page.isEmpty()) window.showPage(page);
  if (files.empty()) return;
  auto* once = new QObject(&window);
  QObject::connect(&window.session().library(), &LibraryModel::changed, once, [once, &window, page, files] {
    if (!window.session().library().loaded()) return;
    once->deleteLater();
    QObject::disconnect(&window.session().library(), nullptr, once, nullptr);
    show(window, page, files);
  });
}

}  // namespace tessera::gui
