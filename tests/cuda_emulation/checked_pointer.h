// Pointers that kernels get in the emulator: into global memory with bounds, into shared memory with a race check.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <type_traits>

#include "emulator.h"

namespace tessera::emulation {

// A pointer into one tensor. Made from a plain pointer on the host, where the tensor's bounds are looked up.
template <typename T>
class CheckedPointer {
 public:
  CheckedPointer() = default;
  CheckedPointer(std::nullptr_t) {}
  CheckedPointer(T* data) : data_(data), bounds_(data == nullptr ? Bounds{} : bounds_of(data)) {}
  CheckedPointer(T* data, Bounds bounds) : data_(data), bounds_(bounds) {}
  operator CheckedPointer<const T>() const requires(!std::is_const_v<T>) { return {data_, bounds_}; }

  T& operator[](std::ptrdiff_t index) const {
    check(data_ + index, sizeof(T));
    return data_[index];
  }
  T& operator*() const { return (*this)[0]; }
  CheckedPointer operator+(std::ptrdiff_t count) const { return {data_ + count, bounds_}; }
  bool operator==(std::nullptr_t) const { return data_ == nullptr; }

  // The value at this place read or written as one access of a wider type.
  template <typename Wide>
  Wide load_as() const {
    check_wide<Wide>();
    Wide value;
    std::memcpy(&value, data_, sizeof value);
    return value;
  }
  template <typename Wide>
  void store_as(const Wide& value) const {
    check_wide<Wide>();
    std::memcpy(data_, &value, sizeof value);
  }

 private:
  template <typename Wide>
  void check_wide() const {
    check(data_, sizeof(Wide));
    if (reinterpret_cast<std::uintptr_t>(data_) % alignof(Wide) != 0) {
      raise(FaultKind::kAddress,
            "an access of " + std::to_string(sizeof(Wide)) + " bytes at a place not aligned to it");
    }
  }
  void check(const T* place, std::size_t bytes) const {
    const char* at = reinterpret_cast<const char*>(place);
    if (at < bounds_.begin || at + bytes > bounds_.end || bounds_.begin == nullptr) [[unlikely]] {
      raise(FaultKind::kAddress, bounds_.begin == nullptr
                                     ? std::string("an access through a pointer to no tensor")
                                     : "an access at byte " + std::to_string(at - bounds_.begin) + " of a tensor of " +
                                           std::to_string(bounds_.end - bounds_.begin) + " bytes");
    }
  }

  T* data_ = nullptr;
  Bounds bounds_;
};

// Who touched a shared element last.
struct Shadow {
  std::uint64_t write_epoch = 0, write_warp_epoch = 0, read_epoch = 0, read_warp_epoch = 0;
  unsigned writer = 0, reader = 0;
  bool several_readers = false, several_warps = false;

  void write(const Moment& now) {
    if (write_epoch == now.epoch && conflicts(now, writer, write_warp_epoch)) race("two writes");
    if (read_epoch == now.epoch && (several_warps || conflicts(now, reader, read_warp_epoch) ||
                                    (several_readers && read_warp_epoch == now.warp_epoch))) {
      race("a write after a read");
    }
    write_epoch = now.epoch;
    write_warp_epoch = now.warp_epoch;
    writer = now.thread;
  }
  void read(const Moment& now) {
    if (write_epoch == now.epoch && conflicts(now, writer, write_warp_epoch)) race("a read after a write");
    const bool fresh = read_epoch != now.epoch;
    several_readers = !fresh && (several_readers || reader != now.thread);
    several_warps = !fresh && (several_warps || reader / 32 != now.warp());
    read_epoch = now.epoch;
    read_warp_epoch = now.warp_epoch;
    reader = now.thread;
  }

 private:
  static bool conflicts(const Moment& now, unsigned other, std::uint64_t warp_epoch) {
    if (other == now.thread) return false;
    return other / 32 != now.warp() || warp_epoch == now.warp_epoch;
  }
  [[noreturn]] static void race(const char* what) {
    raise(FaultKind::kOther, std::string("a race in shared memory: ") + what + " without a barrier between them");
  }
};

template <typename T>
class SharedPointer;

// Reads and writes of one shared element go through this.
template <typename T>
class SharedReference {
 public:
  SharedReference(T* data, Shadow* shadow) : data_(data), shadow_(shadow) {}
  operator T() const {
    shadow_->read(moment());
    return *data_;
  }
  const SharedReference& operator=(const T& value) const {
    shadow_->write(moment());
    *data_ = value;
    return *this;
  }
  const SharedReference& operator=(const SharedReference& other) const { return *this = static_cast<T>(other); }
  SharedReference(const SharedReference&) = default;

 private:
  T* data_;
  Shadow* shadow_;
};

// What `__shared__ SharedArray<T, N> name` declares: NaN at the beginning of every block.
template <typename T, int kCount>
class SharedArray {
 public:
  SharedReference<T> operator[](std::ptrdiff_t index) { return at(index)[0]; }
  SharedPointer<T> at(std::ptrdiff_t index) {
    if (!shadow_) shadow_ = std::make_unique<Shadow[]>(kCount);
    if (block_ != moment().block_serial) {
      block_ = moment().block_serial;
      std::memset(static_cast<void*>(data_), 0xff, sizeof data_);
    }
    return {data_, shadow_.get(), kCount, index};
  }

 private:
  alignas(16) T data_[kCount];
  std::unique_ptr<Shadow[]> shadow_;
  std::uint64_t block_ = 0;
};

template <typename T>
class SharedPointer {
 public:
  SharedPointer(T* data, Shadow* shadow, std::ptrdiff_t count, std::ptrdiff_t index)
      : data_(data), shadow_(shadow), count_(count), index_(index) {}

  SharedReference<T> operator[](std::ptrdiff_t offset) const {
    check(offset, 1);
    return {data_ + index_ + offset, shadow_ + index_ + offset};
  }
  SharedPointer operator+(std::ptrdiff_t count) const { return {data_, shadow_, count_, index_ + count}; }

  // Claims `count` elements from here on for a write of the running thread; returns where they lie.
  T* claim(std::ptrdiff_t count) const {
    check(0, count);
    for (std::ptrdiff_t i = 0; i < count; ++i) shadow_[index_ + i].write(moment());
    return data_ + index_;
  }
  const T* peek(std::ptrdiff_t count) const {
    check(0, count);
    for (std::ptrdiff_t i = 0; i < count; ++i) shadow_[index_ + i].read(moment());
    return data_ + index_;
  }
  bool aligned(std::size_t bytes) const { return reinterpret_cast<std::uintptr_t>(data_ + index_) % bytes == 0; }

 private:
  void check(std::ptrdiff_t offset, std::ptrdiff_t count) const {
    if (index_ + offset < 0 || index_ + offset + count > count_) [[unlikely]] {
      raise(FaultKind::kAddress, "an access at element " + std::to_string(index_ + offset) + " of a shared array of " +
                                     std::to_string(count_));
    }
  }

  T* data_;
  Shadow* shadow_;
  std::ptrdiff_t count_;
  std::ptrdiff_t index_;
};

}  // namespace tessera::emulation
