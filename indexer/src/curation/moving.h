// Moving and copying single files so that nothing is ever replaced or half there.
#pragma once

#include <filesystem>
#include <string>

namespace tessera::curation {

// "a.jpg", "a 2.jpg", "a 3.jpg", ... at most 255 bytes.
std::string numbered_name(const std::string& name, int number);

bool is_there(const std::filesystem::path& path) noexcept;  // also a dangling link

// Renames within a file system. Throws; kInvalidArgument if `to` is there.
void rename_new(const std::filesystem::path& from, const std::filesystem::path& to);
// Also between file systems, where the copy is compared byte by byte before the original goes.
void move_file(const std::filesystem::path& from, const std::filesystem::path& to);
// With time and permissions, synced; under `to`.part until it is complete.
void copy_new(const std::filesystem::path& from, const std::filesystem::path& to);
bool same_bytes(const std::filesystem::path& a, const std::filesystem::path& b);
std::filesystem::path part_of(const std::filesystem::path& to);

void make_folders(const std::filesystem::path& dir);

}  // namespace tessera::curation
