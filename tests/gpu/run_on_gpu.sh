#!/usr/bin/env bash
# Builds, tests, sanitizes and times the CUDA backend on this machine's GPU, and writes one JSON report.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

usage() {
  cat <<'USAGE'
usage: tests/gpu/run_on_gpu.sh [--out FILE] [--quick] [--dry-run]

Steps: build the preset cuda for this GPU; ctest -L gpu with TESSERA_REQUIRE_GPU=1; compute-sanitizer (memcheck and
racecheck) over the same suites where it is installed; encoder speed on GPU and CPU; the same network in PyTorch where
python3 has torch with CUDA. Every step's result goes into FILE (default gpu_report.json). Exit code 0 if none failed.

  --quick     tests only the first step's suites: no sanitizer, no large model
  --dry-run   stop where a GPU is needed: build, run the device tests (which skip) and list what would follow
USAGE
}

out=gpu_report.json quick=0 dry_run=0
while (($#)); do
  case "$1" in
    --out) out=${2:?--out takes a file}; shift ;;
    --quick) quick=1 ;;
    --dry-run) dry_run=1 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

work=$(mktemp -d "${TMPDIR:-/tmp}/tessera-gpu.XXXXXX")
trap 'rm -rf "$work"' EXIT
build=build/cuda
failed=0
steps=$work/steps.jsonl
: > "$steps"

# step NAME COMMAND...: runs it, keeps its output, records status and seconds.
step() {
  local name=$1 status=0 started=$SECONDS
  shift
  printf '\n== %s ==\n' "$name"
  "$@" > "$work/$name.log" 2>&1 || status=$?
  tail -n 15 "$work/$name.log"
  ((status == 0)) || failed=1
  printf '{"step": "%s", "status": %d, "seconds": %d}\n' "$name" "$status" "$((SECONDS - started))" >> "$steps"
}

command -v nvcc > /dev/null || { echo "run_on_gpu: there is no nvcc; CUDA 13 is needed" >&2; exit 1; }
device=none
architectures=80
if command -v nvidia-smi > /dev/null && device=$(nvidia-smi --query-gpu=name,compute_cap,memory.total,driver_version --format=csv,noheader | head -n 1) &&
  [[ -n "$device" ]]; then
  architectures=$(cut -d, -f2 <<< "$device" | tr -d ' .')
elif ((!dry_run)); then
  echo "run_on_gpu: nvidia-smi finds no GPU; --dry-run goes as far as possible without one" >&2
  exit 1
fi
echo "device: $device; building for sm_$architectures"

configure=(cmake --preset cuda "-DCMAKE_CUDA_ARCHITECTURES=$architectures")
if command -v ccache > /dev/null; then configure+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache); fi
step configure "${configure[@]}"
step build cmake --build --preset cuda -j "$(nproc)" --target tessera tessera_cuda cuda_device_tests encoder_bench make_checkpoint
((failed == 0)) || { echo "run_on_gpu: the build failed; see above" >&2; exit 1; }

suites=(ctest --test-dir "$build" -L gpu --output-on-failure)
sanitize=(compute-sanitizer --error-exitcode 1 --tool)
sanitized=("$build/bin/cuda_device_tests" '--gtest_filter=*BackendTest*:*Golden*/a_*:*Stem*')
bench=("$build/bin/encoder_bench" --seconds 5)
pytorch=(python3 tests/gpu/pytorch_bench.py --batch 64 --size 512)

if ((dry_run)); then
  step tests "${suites[@]}"
  grep -q 'Skipped' "$work/tests.log" || { echo "run_on_gpu: the device tests did not skip without a GPU" >&2; exit 1; }
  printf '\nWith a GPU these would follow:\n'
  printf '  %s\n' "TESSERA_REQUIRE_GPU=1 ${suites[*]}" "${sanitize[*]} memcheck ${sanitized[*]}" \
    "${sanitize[*]} racecheck ${sanitized[*]}" "${bench[*]} --model models/default --device cuda:0 --size 256 --batch 64" \
    "${bench[*]} --model H --device cuda:0 --size 512 --batch 64 --dtype bf16" "${pytorch[*]}"
  exit "$failed"
fi

export TESSERA_REQUIRE_GPU=1
step tests "${suites[@]}"
step doctor "$build/bin/tessera" doctor
if ((!quick)); then
  if command -v compute-sanitizer > /dev/null; then
    step memcheck "${sanitize[@]}" memcheck "${sanitized[@]}"
    step racecheck "${sanitize[@]}" racecheck "${sanitized[@]}"
  else
    printf '\ncompute-sanitizer is not installed: left out\n'
  fi
fi
step bench_default_cpu "${bench[@]}" --model models/default --device cpu --size 256 --batch 32
step bench_default_gpu "${bench[@]}" --model models/default --device cuda:0 --dtype bf16 --size 256 --batch 64
if ((!quick)); then
  step make_h "$build/bin/make_checkpoint" --preset h --out "$work/h" --dtype bf16 --shards 2
  for size in 256 512; do
    for batch in 1 64; do
      step "bench_h_${size}_${batch}" "${bench[@]}" --model "$work/h" --device cuda:0 --dtype bf16 --size "$size" --batch "$batch"
    done
  done
  if python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2> /dev/null; then
    step pytorch "${pytorch[@]}"
  else
    printf '\npython3 has no torch with CUDA: left out\n'
  fi
fi

# The report: device, steps, and what the benchmarks printed, as they printed it.
python3 - "$work" "$device" "$out" <<'PYTHON'
import json, pathlib, sys
work, device, out = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
report = {"device": device, "steps": [json.loads(line) for line in (work / "steps.jsonl").read_text().splitlines()]}
for log in sorted([*work.glob("bench_*.log"), *work.glob("pytorch.log")]):
    text = log.read_text()
    try:
        report[log.stem] = json.loads(text[text.index("{"):])
    except ValueError:
        report[log.stem] = {"output": text[-2000:]}
tests = work / "tests.log"
report["tests"] = [line for line in tests.read_text().splitlines() if "tests passed" in line or "***" in line]
pathlib.Path(out).write_text(json.dumps(report, indent=2) + "\n")
PYTHON
printf '\nreport: %s\n' "$out"
exit "$failed"
