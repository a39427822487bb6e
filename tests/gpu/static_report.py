# Writes docs/benchmarks/cuda_static.md: registers, spills, shared memory and occupancy of every kernel in a built
# libtessera_cuda.so, and the roofline of a whole pass. Exit code 1 if a kernel spills.
# usage: static_report.py LIBRARY [--cuobjdump PROGRAM] [--out FILE]
import argparse
import collections
import re
import subprocess
import sys

import roofline

# Per multiprocessor: threads, blocks, KiB of shared memory (CUDA C++ programming guide, compute capabilities).
# Registers are 65536 everywhere, given to a warp in units of 256; from sm_80 on a block takes 1 KiB of shared memory for
# itself, which cuobjdump counts.
LIMITS = {
    75: (1024, 16, 64),
    80: (2048, 32, 164),
    86: (1536, 16, 100),
    89: (1536, 24, 100),
    90: (2048, 32, 228),
    100: (2048, 32, 228),
    120: (1536, 24, 100),
}
REGISTERS, REGISTER_UNIT, WARP = 65536, 256, 32

Kernel = collections.namedtuple("Kernel", "registers stack local shared threads")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def demangled(names):
    text = subprocess.run(["c++filt"], input="\n".join(names), check=True, capture_output=True, text=True).stdout
    return dict(zip(names, text.splitlines()))


def short_name(name):
    """attention_kernel<bf16, 64, 32, 2> of a demangled signature."""
    name = re.sub(r"\(anonymous namespace\)::", "", name)
    name = re.sub(r"^void ", "", name)
    depth, end = 0, len(name)
    for i, character in enumerate(name):
        depth += character == "<"
        depth -= character == ">"
        if character == "(" and depth == 0:
            end = i
            break
    name = re.sub(r"tessera::cuda::", "", name[:end])
    for type_name, short in (("__nv_bfloat16", "bf16"), ("__half", "f16"), ("float", "f32")):
        name = re.sub(rf"\b{type_name}\b", short, name)
    return re.sub(r"\((?:int|Curve|bool)\)", "", name)


def by_architecture(text):
    """Splits what cuobjdump prints at its 'arch = sm_NN' lines."""
    parts = collections.defaultdict(str)
    architecture = None
    for line in text.splitlines():
        found = re.match(r"arch = sm_(\d+)", line)
        if found:
            architecture = int(found.group(1))
        elif architecture is not None:
            parts[architecture] += line + "\n"
    return parts


def kernels_of(cuobjdump, library):
    """{architecture: {mangled name: Kernel}}."""
    threads = {}
    for architecture, text in by_architecture(run(cuobjdump, "--dump-elf", library)).items():
        for name, section in re.findall(r"^\.nv\.info\.(\S+)\n(.*?)(?=^\.\w|\Z)", text, re.M | re.S):
            found = re.search(r"EIATTR_MAX_THREADS\n.*\n\s*Value:\s*0x([0-9a-f]+)", section)
            if found:
                threads[architecture, name] = int(found.group(1), 16)
    result = collections.defaultdict(dict)
    usage = r"Function (\S+):\n\s*REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)"
    for architecture, text in by_architecture(run(cuobjdump, "--dump-resource-usage", library)).items():
        for name, registers, stack, shared, local in re.findall(usage, text):
            result[architecture][name] = Kernel(int(registers), int(stack), int(local), int(shared),
                                                threads[architecture, name])
    return result


def occupancy(kernel, architecture):
    """Share of a multiprocessor's warps that can be resident at once."""
    most_threads, most_blocks, shared_kib = LIMITS[architecture]
    warps = -(-kernel.threads // WARP)
    of_warp = -(-kernel.registers * WARP // REGISTER_UNIT) * REGISTER_UNIT
    blocks = min(most_blocks, most_threads // kernel.threads, REGISTERS // of_warp // warps)
    if kernel.shared:
        blocks = min(blocks, shared_kib * 1024 // kernel.shared)
    return blocks * warps * WARP / most_threads


def table(kernels):
    architectures = sorted(kernels)
    names = demangled(sorted({name for found in kernels.values() for name in found}))
    lines = ["| kernel | threads | shared (B) | " + " | ".join(f"sm_{a}" for a in architectures) + " |",
             "|---|---|---|" + "---|" * len(architectures)]
    by_short = sorted({(short_name(names[m]), m) for found in kernels.values() for m in found})
    rows = collections.OrderedDict()
    for short, mangled in by_short:
        for a in architectures:
            if mangled in kernels[a]:
                rows.setdefault(short, {})[a] = kernels[a][mangled]
    for short, per in rows.items():
        sample = per[max(per)]
        cells = [f"{per[a].registers}, {occupancy(per[a], a):.0%}" if a in per else "-" for a in architectures]
        lines.append(f"| `{short}` | {sample.threads} | {sample.shared} | " + " | ".join(cells) + " |")
    return "\n".join(lines), len(rows)


def main():
    parser = argparse.ArgumentParser(description="static evidence about the CUDA kernels")
    parser.add_argument("library")
    parser.add_argument("--cuobjdump", default="cuobjdump")
    parser.add_argument("--out")
    options = parser.parse_args()
    kernels = kernels_of(options.cuobjdump, options.library)
    if not kernels:
        sys.exit("no kernels in " + options.library)
    spilling = [(a, name, k) for a, found in kernels.items() for name, k in found.items() if k.stack or k.local]
    text, count = table(kernels)
    architectures = ", ".join(f"sm_{a}" for a in sorted(kernels))
    words = "no kernel spills or keeps anything in local memory" if not spilling else f"{len(spilling)} kernels spill"
    document = f"""# CUDA kernels: static evidence and roofline

Written by `tests/gpu/static_report.py` from a built `libtessera_cuda.so`; nothing here was timed on a GPU.

## Registers, shared memory, occupancy

{count} kernels, {architectures}: {words}. Per architecture: registers a thread, and the share of a multiprocessor's warps that
registers, shared memory and block limits let be resident.

{text}

## Roofline

{roofline.report()}

The goal is at most 20 % outside the products. GELU has a kernel of its own because cuBLASLt's epilogue is the tanh form, which
is off by up to 2.7e-3; it is most of what memory traffic costs.
"""
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            file.write(document)
    else:
        print(document)
    for a, name, kernel in spilling:
        print(f"sm_{a} {short_name(demangled([name])[name])}: stack {kernel.stack}, local {kernel.local}", file=sys.stderr)
    return 1 if spilling else 0


if __name__ == "__main__":
    sys.exit(main())
