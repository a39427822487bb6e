#!/usr/bin/env bash
# Checks that the objects of a library neither print nor end the process. usage: library_symbols.sh NM ARCHIVE
set -euo pipefail
nm=$1 archive=$2

# C and C++ output to the terminal, and ways to end the process. std::terminate is not listed: every noexcept function
# refers to it.
forbidden='printf|__printf_chk|vprintf|__vprintf_chk|puts|putchar|perror|stdout|stderr|abort|exit|_exit|_Exit|quick_exit|_ZSt4cout|_ZSt4cerr|_ZSt4clog|_ZSt5wcout|_ZSt5wcerr'

symbols=$("$nm" --undefined-only --print-file-name "$archive")
count=$(awk '{print $1}' <<< "$symbols" | sort -u | wc -l)
((count > 0)) || { echo "no object refers to anything in $archive: wrong file?"; exit 1; }

if found=$(grep -E "[[:space:]]U ($forbidden)(@.*)?$" <<< "$symbols"); then
  echo "$found"
  echo "these objects print or end the process; a library reports by tessera::Error"
  exit 1
fi
echo "$count objects of $(basename "$archive") neither print nor end the process"
