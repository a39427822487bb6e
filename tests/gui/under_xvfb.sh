#!/usr/bin/env bash
# Runs a program on an X server without a screen; ends with 77 where there is none. usage: under_xvfb.sh PROGRAM [ARGUMENT...]
set -euo pipefail
command -v xvfb-run > /dev/null || exit 77
export QT_QPA_PLATFORM=xcb
exec xvfb-run --auto-servernum --server-args="-screen 0 1920x1200x24" "$@"
