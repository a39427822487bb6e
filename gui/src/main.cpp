// tessera-browser: find, compare and curate pictures in a window.
#include <QApplication>
#include <QCommandLineParser>
#include <QFile>
#include <QIcon>
#include <QSettings>
#include <QTextStream>

#include "app/main_window.h"
#include "app/screenshot.h"
#include "app/theme.h"
#include "browse/library_extension.h"
#include "browse/start_request.h"

namespace tessera::gui {
namespace {

struct Arguments {
  QString library;
  QString screenshot;
  QString page;
  QString size;
  QString theme;
  std::vector<std::filesystem::path> files;
};

Arguments read_arguments(const QApplication& application) {
  QCommandLineParser parser;
  parser.setApplicationDescription(QApplication::translate("main", "Find, compare and curate pictures."));
  parser.addHelpOption();
  parser.addVersionOption();
  const auto option = [&](const QString& name, const QString& text, const QString& value) {
    parser.addOption(QCommandLineOption(name, text, value));
  };
  option(QStringLiteral("library"),
         QApplication::translate("main", "The library to open; without it the one of the last time."),
         QStringLiteral("DIR"));
  option(QStringLiteral("page"), QApplication::translate("main", "The page to show first."), QStringLiteral("NAME"));
  option(QStringLiteral("size"), QApplication::translate("main", "Size of the window, e.g. 1280x800."),
         QStringLiteral("WxH"));
  option(QStringLiteral("theme"), QApplication::translate("main", "light or dark."), QStringLiteral("NAME"));
  option(QStringLiteral("screenshot"),
         QApplication::translate("main", "Paint the page, save it as a picture file and exit."),
         QStringLiteral("FILE"));
  parser.addPositionalArgument(QStringLiteral("PICTURE"),
                               QApplication::translate("main", "Pictures to search for, or to show on --page."),
                               QStringLiteral("[PICTURE...]"));
  parser.process(application);
  std::vector<std::filesystem::path> files;
  for (const QString& file : parser.positionalArguments()) {
    files.push_back(std::filesystem::absolute(QFile::encodeName(file).toStdString()).lexically_normal());
  }
  return {parser.value(QStringLiteral("library")), parser.value(QStringLiteral("screenshot")),
          parser.value(QStringLiteral("page")),    parser.value(QStringLiteral("size")),
          parser.value(QStringLiteral("theme")),   std::move(files)};
}

QIcon window_icon() {
  QIcon icon;
  for (const int side : {16, 24, 32, 48, 64, 128, 256}) {
    icon.addFile(QStringLiteral(":/icons/%1x%1/apps/org.tessera.Browser.png").arg(side), QSize(side, side));
  }
  return icon;
}

[[noreturn]] void refuse(const QString& problem) {
  QTextStream(stderr) << "tessera-browser: " << problem << '\n';
  std::exit(2);
}

void choose_theme(const QString& asked) {
  const QString theme = asked.isEmpty() ? QSettings().value(QStringLiteral("theme")).toString() : asked;
  if (!asked.isEmpty() && asked != QStringLiteral("light") && asked != QStringLiteral("dark")) {
    refuse(QApplication::translate("main", "there is no theme %1; light and dark are").arg(asked));
  }
  applyTheme(theme == QStringLiteral("light") ? Theme::kLight : Theme::kDark);
}

void choose_size(MainWindow& window, const QString& asked) {
  const QStringList parts = asked.split(QLatin1Char('x'));
  const QSize size = parts.size() == 2 ? QSize(parts[0].toInt(), parts[1].toInt()) : QSize();
  if (size.width() < 200 || size.height() < 150 || size.width() > 10000 || size.height() > 10000) {
    refuse(QApplication::translate("main", "%1 is no size from 200x150 to 10000x10000").arg(asked));
  }
  window.resize(size);
}

int run(QApplication& application) {
  const Arguments arguments = read_arguments(application);
  choose_theme(arguments.theme);
  MainWindow window(standardRegistry());
  if (arguments.screenshot.isEmpty()) window.restoreLayout();
  if (!arguments.size.isEmpty()) choose_size(window, arguments.size);
  if (!arguments.page.isEmpty() && window.page(arguments.page) == nullptr) {
    refuse(QApplication::translate("main", "there is no page %1; there are: %2")
               .arg(arguments.page, window.pageNames().join(QStringLiteral(", "))));
  }
  LibraryControl::of(window)->start(
      arguments.library.isEmpty() ? std::filesystem::path()
                                  : std::filesystem::absolute(QFile::encodeName(arguments.library).toStdString()));
  showAtStart(window, arguments.page, arguments.files);
  window.show();
  if (arguments.screenshot.isEmpty()) return QApplication::exec();
  Screenshot screenshot(window, arguments.screenshot);
  QString problem;
  QObject::connect(&screenshot, &Screenshot::finished, &application, [&](const QString& text) {
    problem = text;
    QApplication::exit(text.isEmpty() ? 0 : 1);
  });
  screenshot.start();
  const int code = QApplication::exec();
  if (!problem.isEmpty()) QTextStream(stderr) << "tessera-browser: " << problem << '\n';
  return code;
}

}  // namespace
}  // namespace tessera::gui

int main(int argc, char** argv) {
  QApplication application(argc, argv);
  QApplication::setOrganizationName(QStringLiteral("tessera"));
  QApplication::setApplicationName(QStringLiteral("tessera-browser"));
  QApplication::setApplicationVersion(QStringLiteral(TESSERA_VERSION));
  QGuiApplication::setDesktopFileName(QStringLiteral("org.tessera.Browser"));
  QApplication::setWindowIcon(tessera::gui::window_icon());
  return tessera::gui::run(application);
}
