// Marks, tags and collections as the window sees them: a copy in memory, kept fresh, and changes made in jobs.
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <QTimer>
#include <functional>
#include <unordered_map>
#include <vector>

#include "app/session.h"
#include "tessera/indexer/curation.h"
#include "tessera/indexer/file_actions.h"
#include "tessera/indexer/saved_search.h"

namespace tessera::gui {

struct ShownMarks {
  Marks marks;
  std::vector<TagId> tags;
};

// Thread rule: GUI thread.
class CurationModel : public QObject {
  Q_OBJECT

 public:
  // The one of this session, made when first asked for; it goes with the session.
  static CurationModel& of(Session& session);

  ShownMarks marks(ImageId id) const;
  const std::vector<Tag>& tags() const { return tags_; }
  QStringList tagNames() const;
  QStringList tagNames(const std::vector<TagId>& tags) const;
  const std::vector<Collection>& collections() const { return collections_; }

  // Changes. What was done, or why not, is told in the status bar; changed() follows.
  void setMarks(const std::vector<ImageId>& ids, const MarkChange& change);
  void changeTags(const std::vector<ImageId>& ids, const QStringList& add, const QStringList& remove);
  void saveSearch(const QString& name, const SavedSearch& search);  // a collection that is always up to date
  void createCollection(const QString& name, const std::vector<ImageId>& ids);
  void renameCollection(CollectionId id, const QString& name);
  void removeCollection(CollectionId id);
  void addToCollection(CollectionId id, const std::vector<ImageId>& ids);
  void removeFromCollection(CollectionId id, const std::vector<ImageId>& ids);
  void trash(const std::vector<ImageId>& ids);
  void transfer(const std::vector<ImageId>& ids, const QString& folder, Transfer how);
  // No two of a pair are duplicates, whatever a search says from now on.
  void ruleOut(const std::vector<ContentPair>& pairs);
  void trashDuplicates(const std::vector<DuplicateFile>& files);
  void undo();
  void redo();

  // Reads everything again in a job; also done every two seconds if another program has changed something.
  void refresh();

 Q_SIGNALS:
  void changed();

 private:
  struct State {
    std::int64_t generation = 0;
    std::unordered_map<ImageId, ShownMarks> marks;
    std::vector<Tag> tags;
    std::vector<Collection> collections;
  };
  // What a change says when it is done; `files` if files were touched.
  struct Outcome {
    QString message;
    bool files = false;
  };
  using Work = std::function<Outcome(Curation&)>;

  explicit CurationModel(Session& session);
  std::vector<ContentHash> contentsOf(const std::vector<ImageId>& ids) const;
  std::vector<std::filesystem::path> filesOf(const std::vector<ImageId>& ids) const;
  void run(Work work);
  void poll();

  Session& session_;
  std::int64_t generation_ = -1;
  std::unordered_map<ImageId, ShownMarks> marks_;
  std::vector<Tag> tags_;
  std::vector<Collection> collections_;
  Job reading_;
  Job polling_;
  QTimer timer_;
};

}  // namespace tessera::gui
