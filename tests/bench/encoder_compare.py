"""Compares Tessera's encoder with PyTorch, ONNX Runtime and OpenVINO: same weights, same picture, same run, same threads.

Each engine runs in a process of its own, one after the other, in several rounds; the outputs are compared before anything is timed.
    python tests/bench/encoder_compare.py --bin build/dev/bin --case small --case h --out compare.json
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

CASES = {
    # RADIO1D-H, one picture of 256 x 256: 256 patches, 64 tokens after the merge.
    "h": {"args": ["--preset", "h", "--dtype", "bf16"], "size": 256, "batch": 1, "passes": 5},
    # 12 blocks of width 192 over 64 patches, then the merge and one block of 384 over 16 tokens (a RADIO1D has a merge).
    "small": {"args": ["--width", "192", "--depth", "13", "--merge", "12", "--heads", "3", "--position-grid", "8",
                       "--prefix", "4", "--dtype", "bf16"], "size": 128, "batch": 32, "passes": 30},
}
ENGINES = ["tessera bf16", "tessera f32", "torch f32", "torch bf16", "torch bf16 autocast", "torch bf16 compiled",
           "onnxruntime f32", "openvino bf16"]


def build_model(folder):
    """RADIO1D's encoder in PyTorch with the released tensor names; weights from `folder`, float32."""
    import torch
    import torch.nn.functional as F
    from safetensors.torch import load_file
    from torch import nn

    weights = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        weights.update(load_file(path))
    prefix = "radio_model."
    weights = {k[len(prefix):]: v for k, v in weights.items() if k.startswith(prefix)}
    config = json.loads((Path(folder) / "config.json").read_text())["args"]["model_kwargs"]

    class Block(nn.Module):
        def __init__(self, name, heads):
            super().__init__()
            get = lambda key: weights[f"model.blocks.{name}.{key}"].float()  # noqa: E731
            width = get("norm1.weight").numel()
            self.heads = heads
            self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            hidden = get("mlp.fc1.weight").shape[0]
            self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
            names = {"norm1": "norm1", "norm2": "norm2", "qkv": "attn.qkv", "proj": "attn.proj", "fc1": "mlp.fc1", "fc2": "mlp.fc2"}
            self.load_state_dict({f"{a}.{p}": get(f"{b}.{p}") for a, b in names.items() for p in ("weight", "bias")})

        def forward(self, x):
            batch, tokens, width = x.shape
            q, k, v = self.qkv(self.norm1(x)).reshape(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
            a = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, width)
            x = x + self.proj(a)
            return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            get = lambda key: nn.Parameter(weights[key].float(), requires_grad=False)  # noqa: E731
            m = "model."
            self.mean, self.std = get("input_conditioner.norm_mean"), get("input_conditioner.norm_std")
            self.embedder = get(m + "patch_generator.embedder.weight")
            self.positions = get(m + "patch_generator.pos_embed")
            self.prefix = get(m + "patch_generator.cls_token.token")
            self.norm_w, self.norm_b = get(m + "downscale_blocks.0.norm.weight"), get(m + "downscale_blocks.0.norm.bias")
            self.reduction, self.prefix_proj = get(m + "downscale_blocks.0.reduction.weight"), get(m + "prefix_proj_blocks.0.weight")
            width = self.prefix.shape[1]
            depth = 1 + max(int(k.split(".")[2]) for k in weights if k.startswith("model.blocks."))
            self.merge = next(i for i in range(depth) if weights[f"model.blocks.{i}.norm1.weight"].numel() > width)
            heads = config["num_heads"]
            self.blocks = nn.ModuleList([Block(i, heads if i < self.merge else 2 * heads) for i in range(depth)])

        def forward(self, pixels):
            b, _, h, w = pixels.shape
            gh, gw, p = h // 16, w // 16, self.prefix.shape[0]
            x = ((pixels - self.mean) / self.std).to(self.embedder.dtype)
            x = x.reshape(b, 3, gh, 16, gw, 16).permute(0, 2, 4, 1, 3, 5).reshape(b, gh * gw, 768)
            side = int(self.positions.shape[1] ** 0.5)
            grid = self.positions.float().reshape(1, side, side, -1).permute(0, 3, 1, 2)
            if side != gh:
                grid = F.interpolate(grid, size=(gh, gw), mode="bilinear", align_corners=False)
            x = x @ self.embedder.t() + grid.flatten(2).transpose(1, 2).to(self.embedder.dtype)
            x = torch.cat([self.prefix.unsqueeze(0).expand(b, -1, -1), x], 1)
            for i, block in enumerate(self.blocks):
                if i == self.merge:
                    g = x[:, p:].reshape(b, gh, gw, -1)
                    g = torch.cat([g[:, 0::2, 0::2], g[:, 1::2, 0::2], g[:, 0::2, 1::2], g[:, 1::2, 1::2]], -1).flatten(1, 2)
                    g = F.layer_norm(g, g.shape[-1:], self.norm_w, self.norm_b, 1e-5) @ self.reduction.t()
                    x = torch.cat([x[:, :p] @ self.prefix_proj.t(), g], 1)
                x = block(x)
            return x[:, p:]

    return Encoder().eval().requires_grad_(False)


def pixels(case, batch):
    """The comparison picture as [batch, 3, S, S] in [0, 1]: seeded noise over a gradient, 8 bits."""
    import numpy as np

    size = CASES[case]["size"]
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:size, 0:size]
    picture = np.stack([x * 255 / size, y * 255 / size, (x + y) * 127 / size], -1) + rng.normal(0, 25, (size, size, 3))
    picture = picture.clip(0, 255).astype(np.uint8)
    return picture, np.repeat((picture.astype(np.float32) / 255).transpose(2, 0, 1)[None], batch, 0)


def engine_function(engine, case, work, threads):
    """A callable that maps pixels [B, 3, S, S] to tokens [B, n, D] (NumPy) for an engine that lives in this process."""
    import numpy as np
    import torch

    torch.set_num_threads(threads)
    if engine.startswith("torch"):
        model = build_model(work / case)
        if engine in ("torch bf16", "torch bf16 compiled"):
            model = model.to(torch.bfloat16)
        if engine.endswith("compiled"):
            model = torch.compile(model)
        autocast = engine.endswith("autocast")

        def run(x):
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                return model(torch.from_numpy(x)).float().numpy()

        return run
    onnx = work / f"{case}.onnx"
    if engine.startswith("onnxruntime"):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
        return lambda x: session.run(None, {"pixels": x})[0]
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(core.read_model(str(onnx)), "CPU", {
        "INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"})
    return lambda x: np.asarray(compiled(x)[0], dtype=np.float32)


def export_onnx(case, work):
    import torch

    path = work / f"{case}.onnx"
    if not path.exists():
        x = torch.from_numpy(pixels(case, CASES[case]["batch"])[1])
        torch.onnx.export(build_model(work / case), (x,), str(path), input_names=["pixels"], dynamo=False, opset_version=20)


def worker(engine, case, work, threads):
    """Checks and times one engine of this process; prints one JSON line."""
    import numpy as np

    settings = CASES[case]
    _, x = pixels(case, settings["batch"])
    run = engine_function(engine, case, work, threads)
    tokens = run(x)
    np.save(work / f"{case}-{engine.replace(' ', '-')}.npy", tokens[0])
    for _ in range(2):
        run(x)
    seconds = []
    for _ in range(settings["passes"]):
        start = time.perf_counter()
        run(x)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": seconds}))


def tessera_tokens(case, work, binaries, dtype):
    """Tessera's tokens of the comparison picture through the public command."""
    import numpy as np
    from safetensors.numpy import load_file

    picture, _ = pixels(case, 1)
    source, result = work / f"{case}.ppm", work / f"{case}-tessera-{dtype}.safetensors"
    source.write_bytes(b"P6\n%d %d\n255\n" % picture.shape[1::-1] + picture.tobytes())
    result.unlink(missing_ok=True)
    subprocess.run([binaries / "tessera", "encode", source, "-o", result, "--model", work / case, "--resize", "none",
                    "--tokens", "100000", "--dtype", dtype], check=True, capture_output=True)
    return np.asarray(load_file(result)[f"{case}.tokens"])


def tessera_seconds(case, work, binaries, dtype, threads):
    settings = CASES[case]
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    out = subprocess.run([binaries / "encoder_bench", "--model", work / case, "--size", str(settings["size"]), "--batch",
                          str(settings["batch"]), "--dtype", dtype, "--threads", str(threads), "--seconds", "0.1", "--passes",
                          str(settings["passes"])], check=True, capture_output=True, text=True, env=environment).stdout
    return json.loads(out)


def cosine(a, b):
    import numpy as np

    return float(((a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))).min())


def compare(case, arguments):
    import numpy as np

    work, settings = arguments.work, CASES[case]
    if not (work / case / "config.json").exists():
        subprocess.run([arguments.bin / "make_checkpoint", "--out", work / case, *settings["args"]], check=True)
    subprocess.run([sys.executable, __file__, "--export", case, "--work", work], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    times, cosines, report = {}, {}, {}
    reference = tessera_tokens(case, work, arguments.bin, "f32")
    for round_number in range(arguments.rounds):
        for engine in arguments.engines:
            if engine.startswith("tessera"):
                dtype = engine.split()[1]
                if round_number == 0:
                    cosines[engine] = cosine(tessera_tokens(case, work, arguments.bin, dtype), reference)
                report[engine] = tessera_seconds(case, work, arguments.bin, dtype, arguments.threads)
                seconds = [report[engine]["time"]["ms_median"] / 1e3]
            else:
                environment = dict(os.environ, OMP_NUM_THREADS=str(arguments.threads))
                done = subprocess.run([sys.executable, __file__, "--worker", engine, "--worker-case", case, "--work", work,
                                       "--threads", str(arguments.threads)], capture_output=True, text=True, env=environment)
                if done.returncode:
                    print(f"{case}: {engine} does not run here: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
                    continue
                seconds = json.loads(done.stdout.strip().splitlines()[-1])["seconds"]
                tokens = np.load(work / f"{case}-{engine.replace(' ', '-')}.npy")
                cosines[engine] = cosine(tokens, reference)
            if cosines[engine] < (0.9999 if engine.endswith("f32") else 0.99):
                raise SystemExit(f"{case}: the tokens of {engine} are not Tessera's: cosine {cosines[engine]:.5f}")
            times.setdefault(engine, []).append(statistics.median(seconds))
    best = {e: min(t) for e, t in times.items()}  # of the rounds' medians: what the machine does when it is left alone
    fastest_torch = min(t for e, t in best.items() if e.startswith("torch"))
    print(f"\n{case}: {settings['size']} px, batch {settings['batch']}, {arguments.threads} threads, {arguments.rounds} rounds")
    print(f"{'engine':22s} {'ms a batch':>11s} {'images/s':>9s} {'min cosine':>11s} {'Tessera bf16 is':>17s}")
    for engine, seconds in best.items():
        print(f"{engine:22s} {seconds * 1e3:11.1f} {settings['batch'] / seconds:9.1f} {cosines[engine]:11.5f} "
              f"{seconds / best['tessera bf16']:12.2f} x as fast")
    return {"best_seconds": best, "rounds": times, "min_token_cosine": cosines, "tessera": report,
            "speedup_over_best_torch": fastest_torch / best["tessera bf16"], **settings}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, help="folder of tessera, encoder_bench and make_checkpoint")
    parser.add_argument("--case", action="append", choices=CASES, help="default: all")
    parser.add_argument("--engines", type=lambda s: s.split(","), default=ENGINES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("encoder_compare_work"), help="checkpoints and exports (H: 7 GB)")
    parser.add_argument("--out", type=Path)
    for name in ("--export", "--worker", "--worker-case"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.work = arguments.work.resolve()
    if arguments.export:
        return export_onnx(arguments.export, arguments.work)
    if arguments.worker:
        return worker(arguments.worker, arguments.worker_case, arguments.work, arguments.threads)
    if not arguments.bin:
        parser.error("--bin is needed")
    arguments.bin = arguments.bin.resolve()
    arguments.work.mkdir(parents=True, exist_ok=True)
    result = {case: compare(case, arguments) for case in arguments.case or list(CASES)}
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
