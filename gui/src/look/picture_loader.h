// Decoded pictures for all pages that look at them: loaded in jobs, a small version first, kept while there is room.
#pragma once

#include <QObject>
#include <list>
#include <memory>
#include <unordered_map>

#include "app/session.h"
#include "look/display_picture.h"

namespace tessera::gui {

// In a job: the picture of the first of its files that can be read, those that were there last time first. Throws what
// load_display_picture() throws, and kNotFound if no file is known.
DisplayPicture load_from_library(JobContext& context, ImageId id, int short_side);

// Thread rule: GUI thread.
class PictureLoader : public QObject {
  Q_OBJECT

 public:
  static constexpr int kFull = 0;

  // The one of this session; made when first asked for.
  static PictureLoader& of(Session& session);

  // What there is of the picture, null if nothing. If that has fewer pixels along its shorter side than wanted (kFull =
  // all), or there is nothing, loading begins and loaded() or failed() follows. Higher priorities go first.
  std::shared_ptr<const DisplayPicture> want(ImageId id, int short_side, int priority = 0);
  QString problem(ImageId id) const;  // of the last attempt; empty = none
  bool loading() const { return !running_.empty(); }
  void cancelAll();

 Q_SIGNALS:
  void loaded(tessera::ImageId id);
  void failed(tessera::ImageId id);

 private:
  struct Entry {
    std::shared_ptr<const DisplayPicture> picture;
    QString problem;
    std::list<ImageId>::iterator use;  // in uses_, the latest first
  };
  struct Running {
    Job job;
    int short_side = 0;
    unsigned number = 0;
  };

  explicit PictureLoader(Session& session);
  void clear();
  void load(ImageId id, int short_side, int priority);
  void keep(ImageId id, std::shared_ptr<const DisplayPicture> picture, const QString& problem);

  Session& session_;
  std::unordered_map<ImageId, Entry> entries_;
  std::list<ImageId> uses_;
  std::unordered_map<ImageId, Running> running_;
  std::size_t bytes_ = 0;
  unsigned number_ = 0;
};

}  // namespace tessera::gui
