#!/usr/bin/env bash
# Checks the include directions (cli -> indexer -> core, gui -> indexer -> core), and that third-party headers stay where they belong.
# usage: include_rules.sh SOURCE_DIR
set -euo pipefail
cd "$1"

problems=0
problem() {
  echo "$*"
  problems=$((problems + 1))
}

sources_of() { find "$1" -type f \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' -o -name '*.inc' \) | sort; }

# check_module MODULE INCLUDE_ROOTS FORBIDDEN_ANGLE_REGEX: every quoted include resolves beside the file or below one of
# the roots, so that nobody reaches upward or into the private headers of another library.
check_module() {
  local module=$1 roots=$2 forbidden=$3 file line header root found
  while read -r file; do
    while read -r line; do
      [[ $line =~ [\<\"]([^\>\"]+)[\>\"] ]] || continue
      header=${BASH_REMATCH[1]}
      if [[ $line == *\"* ]]; then
        [[ $header != *..* ]] || problem "$file includes \"$header\": no relative paths upward"
        found=0
        for root in "${file%/*}" $roots; do
          [[ -e $root/$header ]] && found=1
        done
        ((found)) || problem "$file includes \"$header\", which is not below: $roots"
      elif [[ $header =~ $forbidden ]]; then
        problem "$file includes <$header>, which does not belong in $module"
      fi
    done < <(grep -hE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' "$file" || true)
  done < <(sources_of "$module")
}

codecs='^(jpeglib|turbojpeg|png|tiff|tiffio|gif_lib|lcms2)\.h|^webp/|^(stb/)?stb_image'
check_module core "core/include core/src" '^faiss/|^sqlite3|^CLI/|^Q[A-Z]|^tessera/'
check_module indexer "core/include indexer/include indexer/src" "^dnnl|^oneapi/|^CLI/|^Q[A-Z]|^tessera/|$codecs"
check_module cli "core/include indexer/include cli/src" '^dnnl|^oneapi/|^faiss/|^sqlite3|^Q[A-Z]|^tessera/'
check_module gui "core/include indexer/include gui/src" "^dnnl|^oneapi/|^faiss/|^sqlite3|^CLI/|^tessera/|$codecs"

# Public headers show only the standard library and Tessera.
while read -r file; do
  while read -r header; do
    problem "$file includes $header: only standard headers in public headers"
  done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*(<[^>]*[./][^>]*>).*/\1/p' "$file")
done < <(sources_of core/include; sources_of indexer/include)

# Backends know neither each other nor the graph.
while read -r file; do
  if grep -qE '#[[:space:]]*include[[:space:]]*"([^"]*/)?(cuda|gpu)/' "$file"; then problem "$file includes another backend"; fi
  if grep -qE '#[[:space:]]*include[[:space:]]*"([^"]*/)?vit\.h"' "$file"; then problem "$file includes the graph"; fi
done < <(find core/src -path '*/cpu/*' -name '*.[hc]*')
# The graph knows the abstract Backend only; encoder.cpp chooses one.
while read -r file; do
  [[ ${file##*/} != encoder.cpp ]] || continue
  if grep -qE '#[[:space:]]*include[[:space:]]*"(cpu|cuda)/' "$file"; then problem "$file includes a backend"; fi
done < <(find core/src/model -name '*.[hc]*')

if ((problems)); then
  echo "$problems broken include rules"
  exit 1
fi
echo "include rules hold in $(sources_of core | wc -l) + $(sources_of indexer | wc -l) + $(sources_of cli | wc -l) + $(sources_of gui | wc -l) files"
