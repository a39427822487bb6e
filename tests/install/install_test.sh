#!/usr/bin/env bash
# Installs the build, moves the tree, works with it there, and builds an outside project against it.
# usage: install_test.sh CMAKE SOURCE_DIR BUILD_DIR CXX_COMPILER
set -euo pipefail
cmake=$1 source=$2 build=$3 compiler=$4

fail() {
  echo "install_test: $*"
  exit 1
}

work=$(mktemp -d "${TMPDIR:-/tmp}/tessera install.XXXXXX")
trap 'rm -rf "$work"' EXIT
unset TESSERA_MODEL TESSERA_LIBRARY
export HOME=$work/home XDG_DATA_HOME=$work/data
mkdir -p "$HOME"

"$cmake" --install "$build" --prefix "$work/first" > "$work/install.log" || { cat "$work/install.log"; fail "cmake --install failed"; }
prefix="$work/moved here"
mv "$work/first" "$prefix"

for file in bin/tessera share/tessera/models/default/config.json share/bash-completion/completions/tessera \
  share/man/man1/tessera.1 include/tessera/encoder.h include/tessera/indexer/library.h; do
  [[ -e $prefix/$file ]] || fail "$file is not installed"
done
[[ ! -L $prefix/share/tessera/models ]] || fail "the model is a link"

if [[ -x $build/bin/tessera-browser ]]; then
  for file in bin/tessera-browser share/applications/org.tessera.Browser.desktop \
    share/metainfo/org.tessera.Browser.metainfo.xml share/man/man1/tessera-browser.1 \
    share/icons/hicolor/scalable/apps/org.tessera.Browser.svg share/icons/hicolor/48x48/apps/org.tessera.Browser.png; do
    [[ -e $prefix/$file ]] || fail "$file is not installed"
  done
  entry=$prefix/share/applications/org.tessera.Browser.desktop
  [[ -x $prefix/bin/$(sed -n 's/^Exec=\([^ ]*\).*/\1/p' "$entry") ]] || fail "the desktop file starts another program"
  icon=$(sed -n 's/^Icon=//p' "$entry")
  [[ -e $prefix/share/icons/hicolor/scalable/apps/$icon.svg ]] || fail "the desktop file names another icon"
  if command -v desktop-file-validate > /dev/null; then desktop-file-validate "$entry" || fail "the desktop file is wrong"; fi
  if command -v appstreamcli > /dev/null; then
    appstreamcli validate --no-net "$prefix/share/metainfo/org.tessera.Browser.metainfo.xml" > "$work/appstream.txt" ||
      { cat "$work/appstream.txt"; fail "the AppStream metadata is wrong"; }
  fi
fi

# The program must find the model beside itself, and nothing of the trees it came from.
tessera=$prefix/bin/tessera
"$tessera" doctor > "$work/doctor.txt" 2>&1 || { cat "$work/doctor.txt"; fail "doctor failed"; }
grep -qF "$prefix/share/tessera/models/default" "$work/doctor.txt" || { cat "$work/doctor.txt"; fail "doctor names another model"; }
if grep -qF -e "$build/share" -e "$source/models" "$work/doctor.txt"; then fail "doctor names the build tree"; fi

# A backend library is found where the installation has its own, beside the moved program; here the emulated one.
if compgen -G "$build/lib*/tessera/libtessera_cuda.so" > /dev/null; then
  compgen -G "$prefix/lib*/tessera/libtessera_cuda.so" > /dev/null || fail "the CUDA backend was built and is not installed"
fi
mkdir -p "$prefix/lib/tessera"
cp "$build/tests/cuda_emulation/libtessera_cuda_emulated.so" "$prefix/lib/tessera/libtessera_cuda.so"
LD_LIBRARY_PATH=$build/tests/cuda_emulation/driver "$tessera" doctor --device cpu > "$work/cuda.txt" 2>&1 || { cat "$work/cuda.txt"; fail "doctor failed with a backend library"; }
grep -qF "by $prefix/lib/tessera/libtessera_cuda.so" "$work/cuda.txt" || { cat "$work/cuda.txt"; fail "the backend library beside the program is not found"; }
rm "$prefix/lib/tessera/libtessera_cuda.so"

mkdir "$work/photos"
cp "$source"/sample_data/photos/{cat,coffee,rocket,brook}.jpg "$work/photos/"
"$tessera" index "$work/photos" --library "$work/library" 2> "$work/index.log" || { cat "$work/index.log"; fail "index failed"; }
first=$("$tessera" search "$work/photos/cat.jpg" --library "$work/library" --format paths -k 1) || fail "search failed"
[[ $first == "$work/photos/cat.jpg" ]] || fail "the picture most like cat.jpg is said to be '$first'"

if [[ -x $prefix/bin/tessera-browser ]]; then
  QT_QPA_PLATFORM=offscreen XDG_CONFIG_HOME=$work/config XDG_CACHE_HOME=$work/cache "$prefix/bin/tessera-browser" \
    --library "$work/library" --page why --screenshot "$work/why.png" 2> "$work/browser.log" ||
    { cat "$work/browser.log"; fail "tessera-browser does not work where it was moved"; }
  [[ -s $work/why.png ]] || fail "tessera-browser painted nothing"
fi

{
  "$cmake" -G Ninja -S "$source/tests/install/consumer" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release
  "$cmake" --build "$work/consumer"
} > "$work/consumer.log" 2>&1 || { cat "$work/consumer.log"; fail "the outside project does not build"; }
"$work/consumer/consumer" "$work/photos/cat.jpg" || fail "the outside project does not encode"
