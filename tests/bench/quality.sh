#!/usr/bin/env bash
# Measures the quality of a model on evaluation sets: the tables of docs/benchmarks/quality.md by one command.
#
# usage: tests/bench/quality.sh SETS OUT [TESSERA]
#
#   SETS      folder with eval-NAME.csv (name,label) of caltech, corel, mit8, imagenette and ukbench, and
#             eval-NAME-boxes.csv (name,category,x,y,w,h) of coco and voc; names of pictures are below SETS.
#             train-imagenette.csv, if there is one, lists the gallery of k-NN; its pictures are below SETS/train.
#   OUT       folder for the reports (JSON and CSV), the plots, the extracted tokens and tables.md
#   TESSERA   the program (default: tessera of the PATH)
#
# Pictures are encoded in float32. TESSERA_MODEL chooses another model. What is there is measured; a set that is missing
# is left out. A second run on the same model takes the tokens from OUT/cache. The same input gives the same tables,
# times of `recall` excepted.
set -euo pipefail

[ $# -ge 2 ] || { sed -n 's/^# \{0,1\}//; 2,14p' "$0" >&2; exit 2; }
sets=$1 out=$2 tessera=${3:-tessera}
weight=$("$tessera" search --help | tr -s ' \n' ' ' | sed -n 's/.*--rerank-weight W .*(default \([0-9.]*\)) --tokens.*/\1/p')
baselines=phash,dhash,colorhist,hog,gist,random
classes="caltech corel mit8 imagenette ukbench"
composed="coco voc"
mkdir -p "$out"
computed=(--dtype f32)   # not for what is read from a library

# report NAME ARGUMENTS...: tessera eval ARGUMENTS, kept as NAME.json and NAME.csv
report() {
  local name=$1
  shift
  echo "$name: tessera eval $*" >&2
  "$tessera" eval "$@" "${computed[@]}" --out "$out/$name.json" --format csv | tr -d '\r' > "$out/$name.csv"
}

# cell NAME ROW FIGURE: "88.9 [86.6, 91.1]", or "-"
cell() {
  awk -F, -v row="$2" -v figure="$3" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == figure) column = i }
    NR > 1 && $1 == row && column { printf "%.1f [%.1f, %.1f]", $column, $(column + 1), $(column + 2); found = 1; exit }
    END { if (!found) printf "-" }' "$out/$1.csv"
}
rows_of() { tail -n +2 "$out/$1.csv" | cut -d, -f1; }

# table FIGURE NAME...: a row for each descriptor and second stage, a column for each report
table() {
  local figure=$1
  shift
  echo
  echo "$figure | $*" | sed 's/ | / /; s/ / | /g; s/^/| /; s/$/ |/'
  printf '|---%.0s' "$figure" "$@"
  echo '|'
  rows_of "$1" | while read -r row; do
    printf '| %s' "$row"
    for name in "$@"; do printf ' | %s' "$(cell "$name" "$row" "$figure")"; done
    echo ' |'
  done
}

found_classes=() found_composed=()
for name in $classes; do
  [ -e "$sets/eval-$name.csv" ] || continue
  found_classes+=("$name")
  report "$name" map "$sets" --labels "$sets/eval-$name.csv" --cache "$out/cache" \
    --descriptor "token0,summary,tokens:16,$baselines" --rerank "aligned:16:$weight,aligned:16,maxsim:16"
  report "$name-int8" map "$sets" --labels "$sets/eval-$name.csv" --cache "$out/cache" --stored \
    --descriptor token0 --rerank "aligned:16:$weight,aligned:16,maxsim:16"
  report "$name-curve" curve map "$sets" --labels "$sets/eval-$name.csv" --cache "$out/cache" --svg "$out/$name.svg"
done
for name in $composed; do
  boxes=$sets/eval-$name-boxes.csv
  [ -e "$boxes" ] || continue
  found_composed+=("$name")
  stages=
  for tokens in 1 2 4 8 16; do stages+="aligned:$tokens,aligned:$tokens:$weight,maxsim:$tokens,"; done
  report "$name" comp "$sets" --boxes "$boxes" --cache "$out/cache" --descriptor "token0,summary,tokens:16,$baselines" \
    --rerank "${stages%,}"
  report "$name-int8" comp "$sets" --boxes "$boxes" --cache "$out/cache" --stored \
    --rerank "aligned:16:$weight,aligned:16,maxsim:16"
  report "$name-curve" curve comp "$sets" --boxes "$boxes" --cache "$out/cache" --methods "aligned,aligned:$weight,maxsim" \
    --svg "$out/$name.svg"
done
if [ -e "$sets/train-imagenette.csv" ] && [ -e "$sets/eval-imagenette.csv" ]; then
  report imagenette-knn knn "$sets" --labels "$sets/eval-imagenette.csv" --gallery "$sets/train" \
    --gallery-labels "$sets/train-imagenette.csv" --cache "$out/cache" --descriptor "token0,summary,tokens:16,colorhist"
fi
if [ -d "$sets/voc" ]; then
  report voc-copies copies "$sets/voc" --queries 100 --descriptor token0,phash,dhash \
    --rerank "aligned:16:$weight,aligned:16"
fi
if [ -d "$sets/coco" ]; then
  "$tessera" index "$sets/coco" --library "$out/library" --quiet
  computed=()
  report coco-recall recall --library "$out/library"
fi

{
  if [ ${#found_classes[@]} -gt 0 ]; then
    for figure in P@1 P@5 mAP; do table $figure "${found_classes[@]}"; done
    [ ! -e "$out/ukbench.csv" ] || table P@3 ukbench
    table P@5 "${found_classes[@]/%/-int8}"
  fi
  [ ! -e "$out/imagenette-knn.csv" ] || for k in 1 5 20; do table "k=$k" imagenette-knn; done
  if [ ${#found_composed[@]} -gt 0 ]; then
    for figure in Comp@1 Comp@5 +Comp@1 +Comp@5 Recall@1 Recall@5; do table $figure "${found_composed[@]}"; done
    table Comp@1 "${found_composed[@]/%/-int8}"
    table Comp@5 "${found_composed[@]/%/-int8}"
  fi
  [ ! -e "$out/voc-copies.csv" ] || table total voc-copies
  [ ! -e "$out/coco-recall.csv" ] || for k in 1 10 20; do table "recall@$k" coco-recall; done
} > "$out/tables.md"
echo "$out/tables.md" >&2
