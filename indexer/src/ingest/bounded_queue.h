// A queue between threads that is bounded by the number and by the bytes of what it holds.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace tessera::ingest {

// Thread rule: any thread.
template <typename T>
class BoundedQueue {
 public:
  BoundedQueue(std::size_t max_items, std::size_t max_bytes) : max_items_(max_items), max_bytes_(max_bytes) {}

  // Waits for room; one item always fits into an empty queue. False, with the item dropped, once closed.
  bool push(T item, std::size_t bytes = 0) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] {
      return closed_ || items_.empty() || (items_.size() < max_items_ && bytes_ + bytes <= max_bytes_);
    });
    if (closed_) return false;
    items_.emplace_back(std::move(item), bytes);
    bytes_ += bytes;
    filled_.notify_one();
    return true;
  }

  // Waits for an item; none once the queue is finished and empty, or closed.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return !items_.empty() || finished_; });
    return take();
  }

  // As pop(), but returns after `timeout` too.
  std::optional<T> pop_for(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, timeout, [&] { return !items_.empty() || finished_; });
    return take();
  }

  // No more will be pushed; what is there can still be taken.
  void finish() {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    filled_.notify_all();
  }

  // Drops everything; waiting threads return.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = finished_ = true;
    items_.clear();
    bytes_ = 0;
    filled_.notify_all();
    room_.notify_all();
  }

  bool drained() const {  // finished and empty
    const std::lock_guard lock(mutex_);
    return finished_ && items_.empty();
  }

 private:
  std::optional<T> take() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front().first));
    bytes_ -= items_.front().second;
    items_.pop_front();
    room_.notify_all();
    return item;
  }

  const std::size_t max_items_;
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable filled_;
  std::deque<std::pair<T, std::size_t>> items_;
  std::size_t bytes_ = 0;
  bool finished_ = false;
  bool closed_ = false;
};

}  // namespace tessera::ingest
