#!/usr/bin/env bash
# Checks that every source says its job in its first line, and that no text holds paths of one machine or left-overs.
# usage: source_rules.sh SOURCE_DIR
set -euo pipefail
cd "$1"

problems=0
problem() {
  echo "$*"
  problems=$((problems + 1))
}

find_sources() {
  find . \( -path ./build -o -path './.git' -o -path './.cache' \) -prune -o -type f "$@" -print | sort
}

count=0
while read -r file; do
  count=$((count + 1))
  line=$(head -n 1 "$file")
  # A script's first line names its interpreter; its job stands in the second.
  [[ $line != '#!'* ]] || line=$(sed -n 2p "$file")
  [[ $line =~ ^(//|#|\"\"\"|\.\\\")\ ?.{15,} ]] || problem "$file: the first line does not say the file's job"
done < <(find_sources \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cmake' -o -name '*.py' -o -name '*.sh' \
  -o -name CMakeLists.txt -o -path './scripts/*' \) -size +0)

machine_paths='/(work|root|tmp/wt|home/[a-z]+)/'
left_overs='\b(TO''DO|FIX''ME|XXX)\b|not (yet )?implement''ed'
while read -r hit; do
  problem "$hit"
done < <(find_sources \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cmake' -o -name '*.py' -o -name '*.sh' -o -name '*.md' \
  -o -name CMakeLists.txt -o -path './scripts/*' -o -path './.ci/*' \) | grep -vx ./tests/rules/source_rules.sh |
  xargs -d '\n' grep -nIE "$machine_paths|$left_overs" || true)

if ((problems)); then
  echo "$problems problems"
  exit 1
fi
echo "$count sources say their job"
