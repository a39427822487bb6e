// Conditions that pictures must meet to be shown in the grid and found by a search: stars, flag, colour, tags,
// folder, size of picture and file, date, words in the path.
#pragma once

#include <QToolBar>
#include <filesystem>
#include <vector>

#include "tessera/indexer/catalog_filter.h"

class QComboBox;
class QLabel;
class QLineEdit;

namespace tessera::gui {

class FlowRow;
class MainWindow;
class Session;
class TagCompleter;

class FilterBar : public QToolBar {
  Q_OBJECT

 public:
  explicit FilterBar(MainWindow& window);
  static FilterBar* of(const MainWindow& window);

  // What the controls say; throws tessera::Error (kInvalidArgument) for a date that is none.
  CatalogFilter filter() const;
  void clear();
  // Keeps the conditions under this name among the collections.
  void save(const QString& name);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  QComboBox* addChoice(const QString& name, const std::vector<std::pair<QString, QString>>& items);
  QComboBox* addRange(const QString& name, const QString& tip, const std::vector<std::pair<QString, QString>>& items);
  static QString rangeOf(const QComboBox& box);  // of the item chosen, or what was typed
  QComboBox* addTags();
  QLineEdit* addLine(const QString& name, const QString& placeholder, int characters);
  void addButtons();
  static std::string knownTag(const QString& name, const QStringList& tags);
  void apply();
  void readFolders();
  void readTags();

  Session& session_;
  FlowRow* row_ = nullptr;
  QComboBox* stars_ = nullptr;
  QComboBox* flag_ = nullptr;
  QComboBox* label_ = nullptr;
  QComboBox* tag_ = nullptr;
  QComboBox* folder_ = nullptr;
  QComboBox* size_ = nullptr;
  QComboBox* bytes_ = nullptr;
  TagCompleter* tag_completer_ = nullptr;
  QLineEdit* date_ = nullptr;
  QLineEdit* text_ = nullptr;
  QLabel* problem_ = nullptr;
  std::vector<std::filesystem::path> folders_;  // of folder_, from its second item on
  bool clearing_ = false;
};

// The bar and the key that opens it.
void extendForFiltering(MainWindow& window);

}  // namespace tessera::gui
