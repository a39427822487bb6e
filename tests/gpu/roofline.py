# What one encoder pass must move and compute on a GPU, kernel by kernel, and how long that takes at least.
#
# Counts follow core/src/model/vit.cpp as the CUDA backend runs it: bf16 activations, f32 residual stream, GELU in a
# kernel of its own after its product. Bytes are those of device memory if every kernel reads its inputs and writes its
# results once.
import dataclasses

BF16, F32 = 2, 4


@dataclasses.dataclass
class Model:
    name: str = "C-RADIOv4-1D-H"
    width: int = 1280
    depth: int = 32
    merge: int = 24  # first block after the 2x2 merge, where width and heads double
    heads: int = 16
    mlp_ratio: int = 4
    prefix: int = 10
    patch: int = 16


@dataclasses.dataclass
class Device:
    name: str
    tflops: float  # bf16 tensor cores, dense, f32 sums; from the vendor's data sheet
    gbytes: float  # GB/s of device memory, same source


DEVICES = [
    Device("H100 SXM", 989.4, 3350),
    Device("H200 SXM", 989.4, 4800),
    Device("RTX 4090", 165.2, 1008),
]

# Shares of those peaks that kernels of each kind are expected to reach; assumptions until measured on a device.
EXPECTED = {"product": 0.70, "attention": 0.35, "memory": 0.85}


@dataclasses.dataclass
class Work:
    kind: str  # product, attention or memory
    flops: float = 0
    bytes: float = 0
    calls: int = 0

    def add(self, flops, moved):
        self.flops += flops
        self.bytes += moved
        self.calls += 1

    def seconds(self, device, shares=None):
        peak = device.tflops * 1e12 * (shares[self.kind] if shares else 1.0)
        memory = device.gbytes * 1e9 * (shares["memory"] if shares else 1.0)
        compute = self.flops / peak if self.kind != "memory" else 0.0
        return max(compute, self.bytes / memory)


def encoder_work(model, height, width, batch):
    """All kernels of one pass over `batch` pictures, all tokens kept: {kernel: Work}, in the order of their first call."""
    rows, columns = height // model.patch, width // model.patch
    patches, cells = rows * columns, ((rows + 1) // 2) * ((columns + 1) // 2)
    c, d, p = model.width, 2 * model.width, model.prefix
    work = {}

    def use(kernel, kind, flops, moved):
        work.setdefault(kernel, Work(kind)).add(flops, moved)

    def product(name, m, k, n, out, residual=False):
        moved = BF16 * (m * k + n * k) + out * m * n * (2 if residual else 1)
        use(name, "product", 2.0 * m * k * n, moved)

    pixels = 3 * model.patch**2
    use("patchify", "memory", 0, batch * patches * pixels * (1 + BF16))
    product("matmul embed, merge, prefix", batch * patches, pixels, c, F32)
    use("copy_tokens", "memory", 0, batch * patches * c * 3 * F32)
    for block in range(model.depth):
        if block == model.merge:
            use("merge_norm", "memory", 0, batch * cells * 4 * c * (F32 + BF16))
            product("matmul embed, merge, prefix", batch * cells, 4 * c, d, F32)
            product("matmul embed, merge, prefix", batch * p, c, d, F32)
            use("copy_tokens", "memory", 0, batch * (cells + 2 * p) * d * 2 * F32)
        merged = block >= model.merge
        w, tokens = (d, p + cells) if merged else (c, p + patches)
        heads = 2 * model.heads if merged else model.heads
        m, hidden = batch * tokens, model.mlp_ratio * w
        for _ in range(2):
            use("layer_norm", "memory", 0, m * w * (F32 + BF16))
        product("matmul qkv", m, w, 3 * w, BF16)
        use("attention", "attention", 4.0 * batch * heads * tokens**2 * (w // heads), m * 4 * w * BF16)
        product("matmul proj", m, w, w, F32, residual=True)
        product("matmul fc1", m, w, hidden, BF16)
        use("activate (GELU)", "memory", 0, m * hidden * 2 * BF16)
        product("matmul fc2", m, hidden, w, F32, residual=True)
    use("layer_norm", "memory", 0, batch * (p + cells) * d * 2 * F32)
    use("code_tokens", "memory", 0, batch * cells * d * (F32 + 1))
    return work


def outside_share(work, device, shares=None):
    """Share of the pass that is not in matrix products."""
    total = sum(w.seconds(device, shares) for w in work.values())
    return 1 - sum(w.seconds(device, shares) for w in work.values() if w.kind == "product") / total


def report(model=Model(), side=512, batch=64):
    """Markdown."""
    work = encoder_work(model, side, side, batch)
    lines = [
        f"One pass of {model.name} ({model.depth} blocks, width {model.width} then {2 * model.width}) over {batch} "
        f"pictures of {side} x {side}, all tokens, bf16. At least = at the data sheet's peaks; expected = at "
        f"{EXPECTED['product']:.0%} of the arithmetic peak in products, {EXPECTED['attention']:.0%} in attention, "
        f"{EXPECTED['memory']:.0%} of the memory's rate. These shares are assumptions, not measurements.",
        "",
        "| kernel | calls | TFLOP | GB | " + " | ".join(f"{d.name}: at least, expected (ms)" for d in DEVICES) + " |",
        "|---|---|---|---|" + "---|" * len(DEVICES),
    ]

    def row(name, calls, flops, moved, times):
        cells = " | ".join(f"{1e3 * least:.1f}, {1e3 * likely:.1f}" for least, likely in times)
        lines.append(f"| {name} | {calls} | {flops / 1e12:.2f} | {moved / 1e9:.1f} | {cells} |")

    for name, w in work.items():
        row(name, w.calls, w.flops, w.bytes, [(w.seconds(d), w.seconds(d, EXPECTED)) for d in DEVICES])
    totals = [(sum(w.seconds(d) for w in work.values()), sum(w.seconds(d, EXPECTED) for w in work.values())) for d in DEVICES]
    row("**sum**", sum(w.calls for w in work.values()), sum(w.flops for w in work.values()),
        sum(w.bytes for w in work.values()), totals)
    lines.append("| outside the products | | | | " + " | ".join(
        f"{outside_share(work, d):.0%}, {outside_share(work, d, EXPECTED):.0%}" for d in DEVICES) + " |")
    lines.append("| pictures a second | | | | " + " | ".join(
        f"{batch / least:.0f}, {batch / likely:.0f}" for least, likely in totals) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
