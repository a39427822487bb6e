// Marks, tags and collections as the window sees them.
#include "curate/curation_model.h"

#include <QFile>
#include <algorithm>
#include <memory>

#include "app/count_text.h"

namespace tessera::gui {
namespace {

constexpr int kPollMs = 2000;

// The curation of the open library, which the thread keeps. It is opened for writing at the first change.
Curation& curation_of(JobContext& context, OpenMode mode) {
  struct Kept {
    std::optional<Curation> reader, writer;
  };
  auto& kept = context.kept<Kept>();
  if (!kept) kept = std::make_shared<Kept>();
  auto& curation = mode == OpenMode::kRead ? kept->reader : kept->writer;
  if (!curation) {
    if (context.libraryDir().empty()) throw Error(ErrorCode::kNotFound, "no library is open");
    curation.emplace(Curation::open(context.libraryDir(), mode));
    if (mode == OpenMode::kWrite) kept->reader.reset();  // it may have seen an older version
  }
  return *curation;
}

QString text_of(const std::string& text) { return QString::fromStdString(text); }

QString told(const ActionReport& report, const QString& done) {
  QString text = done;
  if (!report.failed.empty()) text += QStringLiteral(" ") + text_of(report.failed.front().reason);
  return text;
}

std::vector<std::string> texts_of(const QStringList& names) {
  std::vector<std::string> texts;
  for (const QString& name : names) texts.push_back(name.toStdString());
  return texts;
}

}  // namespace

CurationModel& CurationModel::of(Session& session) {
  auto* model = session.findChild<CurationModel*>(QString(), Qt::FindDirectChildrenOnly);
  return model != nullptr ? *model : *new CurationModel(session);
}

CurationModel::CurationModel(Session& session) : QObject(&session), session_(session) {
  connect(&session, &Session::libraryOpened, this, [this] {
    generation_ = -1;
    marks_.clear();
    tags_.clear();
    collections_.clear();
    Q_EMIT changed();
    refresh();
  });
  connect(&session.library(), &LibraryModel::changed, this, &CurationModel::refresh);
  connect(this, &CurationModel::changed, &session, &Session::decorationChanged);
  timer_.setInterval(kPollMs);
  connect(&timer_, &QTimer::timeout, this, &CurationModel::poll);
  timer_.start();
  refresh();
}

ShownMarks CurationModel::marks(ImageId id) const {
  const auto found = marks_.find(id);
  return found != marks_.end() ? found->second : ShownMarks();
}

QStringList CurationModel::tagNames() const {
  QStringList names;
  for (const Tag& tag : tags_) names.append(text_of(tag.name));
  return names;
}

QStringList CurationModel::tagNames(const std::vector<TagId>& tags) const {
  QStringList names;
  for (const Tag& tag : tags_) {
    if (std::find(tags.begin(), tags.end(), tag.id) != tags.end()) names.append(text_of(tag.name));
  }
  return names;
}

std::vector<ContentHash> CurationModel::contentsOf(const std::vector<ImageId>& ids) const {
  const auto snapshot = session_.library().snapshot();
  std::vector<ContentHash> contents;
  for (const ImageId id : ids) {
    const auto row = snapshot->find(id);
    if (row && (*snapshot)[*row].hash != ContentHash{}) contents.push_back((*snapshot)[*row].hash);
  }
  return contents;
}

std::vector<std::filesystem::path> CurationModel::filesOf(const std::vector<ImageId>& ids) const {
  const auto snapshot = session_.library().snapshot();
  std::vector<std::filesystem::path> files;
  for (const ImageId id : ids) {
    if (const auto row = snapshot->find(id)) files.push_back(snapshot->path(*row));
  }
  return files;
}

void CurationModel::run(Work work) {
  session_.jobs().run(
      Lane::kCatalog, this,
      [work = std::move(work)](JobContext& context) { return work(curation_of(context, OpenMode::kWrite)); },
      [this](const Outcome& outcome) {
        if (!outcome.message.isEmpty()) Q_EMIT session_.message(outcome.message);
        if (outcome.files) session_.library().refresh();
        refresh();
      },
      [this](const JobError& error) {
        Q_EMIT session_.message(error.message);
        refresh();
      });
}

void CurationModel::setMarks(const std::vector<ImageId>& ids, const MarkChange& change) {
  // Shown at once; what is true comes with refresh().
  for (const ImageId id : ids) {
    Marks& marks = marks_[id].marks;
    if (change.flag) marks.flag = *change.flag;
    if (change.rating) marks.rating = *change.rating;
    if (change.label) marks.label = *change.label;
  }
  Q_EMIT changed();
  run([contents = contentsOf(ids), change](Curation& curation) {
    const std::int64_t count = curation.set_marks(contents, change);
    return Outcome{count > 0 ? text_of(curation.next_undo()->title) : QString()};
  });
}

void CurationModel::changeTags(const std::vector<ImageId>& ids, const QStringList& add, const QStringList& remove) {
  run([contents = contentsOf(ids), added = texts_of(add), removed = texts_of(remove)](Curation& curation) {
    const std::int64_t count = curation.change_tags(contents, added, removed);
    return Outcome{count > 0 ? text_of(curation.next_undo()->title) : QString()};
  });
}

void CurationModel::createCollection(const QString& name, const std::vector<ImageId>& ids) {
  run([contents = contentsOf(ids), text = name.toStdString()](Curation& curation) {
    curation.create_collection(text, contents);
    return Outcome{tr("Collection '%1' with %2").arg(text_of(text), picturesText(std::ssize(contents)))};
  });
}

void CurationModel::saveSearch(const QString& name, const SavedSearch& search) {
  run([text = name.toStdString(), search](Curation& curation) {
    curation.create_collection(text, CollectionKind::kSavedSearch, saved_search_text(search));
    return Outcome{tr("Saved as '%1' among the collections.").arg(text_of(text))};
  });
}

void CurationModel::renameCollection(CollectionId id, const QString& name) {
  run([id, text = name.toStdString()](Curation& curation) {
    curation.rename_collection(id, text);
    return Outcome{text_of(curation.next_undo()->title)};
  });
}

void CurationModel::removeCollection(CollectionId id) {
  run([id](Curation& curation) {
    curation.remove_collection(id);
    return Outcome{text_of(curation.next_undo()->title)};
  });
}

void CurationModel::addToCollection(CollectionId id, const std::vector<ImageId>& ids) {
  run([id, contents = contentsOf(ids)](Curation& curation) {
    const std::int64_t count = curation.add_to_collection(id, contents);
    return Outcome{count > 0 ? text_of(curation.next_undo()->title) : tr("They are in the collection already.")};
  });
}

void CurationModel::removeFromCollection(CollectionId id, const std::vector<ImageId>& ids) {
  run([id, contents = contentsOf(ids)](Curation& curation) {
    const std::int64_t count = curation.remove_from_collection(id, contents);
    return Outcome{count > 0 ? text_of(curation.next_undo()->title) : QString()};
  });
}

void CurationModel::trash(const std::vector<ImageId>& ids) {
  run([files = filesOf(ids)](Curation& curation) {
    const ActionReport report = FileActions(curation).trash(files);
    return Outcome{told(report, tr("%1 moved to the trash.").arg(filesText(report.done))), true};
  });
}

void CurationModel::ruleOut(const std::vector<ContentPair>& pairs) {
  run([pairs](Curation& curation) {
    const std::int64_t count = curation.set_verdicts(pairs, Verdict::kNotDuplicate);
    return Outcome{count > 0 ? text_of(curation.next_undo()->title) : QString()};
  });
}

void CurationModel::trashDuplicates(const std::vector<DuplicateFile>& files) {
  run([files](Curation& curation) {
    const ActionReport report = FileActions(curation).trash_duplicates(files);
    return Outcome{told(report, tr("%1 moved to the trash.").arg(filesText(report.done))), true};
  });
}

void CurationModel::transfer(const std::vector<ImageId>& ids, const QString& folder, Transfer how) {
  run([files = filesOf(ids), target = std::filesystem::path(QFile::encodeName(folder).toStdString()),
       how](Curation& curation) {
    const ActionReport report = FileActions(curation).transfer(files, target, how);
    const QString links = countText(report.done, tr("link"), tr("links"));
    const QString done = how == Transfer::kCopy   ? tr("%1 copied.").arg(filesText(report.done))
                         : how == Transfer::kMove ? tr("%1 moved.").arg(filesText(report.done))
                                                  : tr("%1 made.").arg(links);
    return Outcome{told(report, done), how == Transfer::kMove};
  });
}

void CurationModel::undo() {
  run([](Curation& curation) {
    const auto entry = curation.undo();
    if (!entry) return Outcome{tr("There is nothing to undo.")};
    const QString problem =
        entry->problems.empty() ? QString() : QStringLiteral(" ") + text_of(entry->problems.front());
    return Outcome{tr("Undone: %1").arg(text_of(entry->title)) + problem, true};
  });
}

void CurationModel::redo() {
  run([](Curation& curation) {
    const auto entry = curation.redo();
    if (!entry) return Outcome{tr("There is nothing to do again.")};
    const QString problem =
        entry->problems.empty() ? QString() : QStringLiteral(" ") + text_of(entry->problems.front());
    return Outcome{tr("Done again: %1").arg(text_of(entry->title)) + problem, true};
  });
}

void CurationModel::refresh() {
  if (session_.libraryDir().empty()) return;
  reading_.cancel();
  reading_ = session_.jobs().run(
      Lane::kCatalog, this,
      [](JobContext& context) {
        const Curation& curation = curation_of(context, OpenMode::kRead);
        State state;
        state.generation = curation.generation();
        for (PictureMarks& picture : curation.picture_marks()) {
          state.marks[picture.id] = {picture.marks, std::move(picture.tags)};
        }
        state.tags = curation.tags();
        state.collections = curation.collections();
        return state;
      },
      [this](State state) {
        generation_ = state.generation;
        marks_ = std::move(state.marks);
        tags_ = std::move(state.tags);
        collections_ = std::move(state.collections);
        Q_EMIT changed();
      },
      [](const JobError&) {});  // a library that is not there is told by its model
}

void CurationModel::poll() {
  if (session_.libraryDir().empty() || polling_.running() || reading_.running()) return;
  polling_ = session_.jobs().run(
      Lane::kCatalog, this, [](JobContext& context) { return curation_of(context, OpenMode::kRead).generation(); },
      [this](std::int64_t generation) {
        if (generation != generation_) refresh();
      },
      [](const JobError&) {});
}

}  // namespace tessera::gui
