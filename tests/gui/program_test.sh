#!/usr/bin/env bash
# Starts the built tessera-browser: help, wrong arguments, and a picture of its first page. usage: program_test.sh PROGRAM
set -euo pipefail
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CONFIG_HOME=$work/config XDG_CACHE_HOME=$work/cache XDG_DATA_HOME=$work/data
unset TESSERA_LIBRARY

fail() {
  echo "$*"
  exit 1
}

"$program" --help | grep -q -- --screenshot || fail "--help does not tell of --screenshot"
status=0
"$program" --page nowhere --screenshot "$work/none.png" 2> "$work/error" || status=$?
[[ $status == 2 ]] || fail "an unknown page ends with $status"
grep -q 'there are: .*grid' "$work/error" || fail "the pages are not named: $(cat "$work/error")"

"$program" --page grid --size 640x400 --theme light --screenshot "$work/page.png" || fail "no screenshot"
# A PNG says width and height in bytes 16 to 23.
size=$(od -An -tu1 -j16 -N8 "$work/page.png" | awk '{print $3 * 256 + $4 "x" $7 * 256 + $8}')
[[ $size == 640x400 ]] || fail "the screenshot has $size pixels"
status=0
"$program" --page grid --screenshot "$work/no folder/page.png" 2> "$work/error" || status=$?
[[ $status == 1 ]] || fail "a screenshot that cannot be written ends with $status"
