// Thumbnails for all views: made in jobs, the most urgent first, and kept in memory as pixmaps.
#pragma once

#include <QCache>
#include <QObject>
#include <QPixmap>
#include <QString>
#include <memory>
#include <unordered_map>
#include <vector>

#include "jobs/job_runner.h"
#include "tessera/indexer/thumbnails.h"

namespace tessera::gui {

struct ContentHasher {
  std::size_t operator()(const ContentHash& hash) const noexcept;
};

// Thread rule: GUI thread.
class Thumbnails : public QObject {
  Q_OBJECT

 public:
  struct Wish {
    ContentHash hash;
    std::filesystem::path path;
  };

  explicit Thumbnails(JobRunner& jobs, QObject* parent = nullptr);

  // The side in pixels to ask for where a thumbnail is painted with so many device pixels.
  static int sizeFor(int pixels) { return ThumbnailCache::size_for(pixels); }

  // Exactly this size; null if it is not in memory.
  QPixmap find(const ContentHash& hash, int size);
  // Of any size, to show until the right one is there.
  QPixmap findAny(const ContentHash& hash, int size);
  // Why none can be made; empty if one can, or nobody tried.
  QString problem(const ContentHash& hash) const;

  // What `client` needs now, the most urgent first; it replaces what it asked for before, and what nobody asks for any
  // more is not made. ready() tells of each.
  void want(const QObject* client, int size, std::vector<Wish> wishes);
  bool waiting(const QObject* client) const;

  // Forgets problems, so that files which have come back are tried again.
  void forgetProblems();

 Q_SIGNALS:
  void ready(const tessera::ContentHash& hash);  // or its problem is known
  void settled();                                // nothing is waited for any more

 private:
  struct Key {
    ContentHash hash;
    int size = 0;
    friend bool operator==(const Key&, const Key&) = default;
    friend std::size_t qHash(const Key& key, std::size_t seed) noexcept {
      return ContentHasher{}(key.hash) ^ static_cast<std::size_t>(key.size) ^ seed;
    }
  };
  struct Queue {
    int size = 0;
    std::vector<Wish> wishes;
    std::size_t next = 0;
    int running = 0;
  };

  void dispatch();
  void make(const QObject* client, Queue& queue, const Wish& wish);
  void finished(const QObject* client, const Key& key);
  void trim();

  JobRunner& jobs_;
  std::shared_ptr<ThumbnailCache> cache_;
  QCache<Key, QPixmap> pixmaps_;  // cost in KiB
  std::unordered_map<ContentHash, QString, ContentHasher> problems_;
  std::unordered_map<const QObject*, Queue> queues_;
  std::vector<const QObject*> order_;  // the last that asked first
  std::vector<Key> running_;
  bool trimming_ = false;
};

}  // namespace tessera::gui
