"""Compares Tessera's encoder with PyTorch, ONNX Runtime and OpenVINO: same weights, same pixels, same threads, same run.

Every engine runs in a process of its own beside Tessera's; their tokens are compared first, then their passes alternate,
so that both meet the same moments of the machine. Products of 2048 x 2048 matrices by PyTorch alternate too: the measured
peak. An engine that is not installed is left out and named.

    pip install -r tests/bench/requirements.txt
    python tests/bench/encoder_compare.py --bin build/release/bin --case small --case h --out compare.json
"""
import argparse
import contextlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASES = {
    # 12 blocks of width 192 over 64 patches, then the merge and one block of 384 over 16 tokens (a RADIO1D has a merge).
    "small": {"shape": ["--width", "192", "--depth", "13", "--merge", "12", "--heads", "3", "--position-grid", "8",
                        "--prefix", "4"], "size": 128, "batch": 32, "passes": 15},
    # RADIO1D-H, one picture of 256 x 256: 256 patches, 64 tokens after the merge.
    "h": {"shape": ["--preset", "h"], "size": 256, "batch": 1, "passes": 5},
    # The model that ships, with its convolutional stem.
    "default": {"model": ROOT / "models" / "default", "size": 192, "batch": 32, "passes": 9,
                "skip": ["torch bf16"]},  # the stem's features are scaled in f32
}
# name -> (package, least cosine of a token with Tessera's f32 one)
ENGINES = {
    "torch f32": ("torch", 0.99999), "torch f32 compiled": ("torch", 0.99999), "torch bf16": ("torch", 0.98),
    "onnxruntime f32": ("onnxruntime", 0.99999), "openvino f32": ("openvino", 0.99999),
    "openvino bf16": ("openvino", 0.98),
}
PEAK_SIZE = 2048


def model_folder(case, work):
    return CASES[case].get("model", work / case)


def write_pixels(case, path):
    """[batch, 3, S, S] in [0, 1]: seeded noise over a gradient, another picture at every place of the batch."""
    import numpy as np

    size, batch = CASES[case]["size"], CASES[case]["batch"]
    y, x = np.mgrid[0:size, 0:size] / size
    noise = np.random.default_rng(1).normal(0, 0.1, (batch, 3, size, size))
    (np.stack([x, y, (x + y) / 2]) + noise).clip(0, 1).astype(np.float32).tofile(path)


def build_model(folder):
    """The encoder of training/tessera_training/radio1d.py with the checkpoint's weights; pixels -> tokens."""
    import torch
    import torch.nn.functional as F
    from safetensors.torch import load_file
    from torch import nn

    sys.path.insert(0, str(ROOT / "training"))
    from tessera_training import radio1d
    from tessera_training.verify import pixel_patches

    def fused_attention(self, x):
        """The module's forward pass, whose attention is written out for training, with PyTorch's fused kernel."""
        batch, count, width = x.shape
        q, k, v = self.qkv(x).view(batch, count, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, count, width))

    radio1d.Attention.forward = fused_attention
    radio1d.LayerNorm.forward = nn.LayerNorm.forward
    options = json.loads((folder / "config.json").read_text())["args"]["model_kwargs"]
    if "stem" in options:
        return build_hybrid(folder)
    prefix, state = "radio_model.model.", {}
    for path in sorted(folder.glob("*.safetensors")):
        state.update({k[len(prefix):]: v for k, v in load_file(path).items()
                      if k.startswith(prefix) and not k.endswith("_iter_count")})
    shape = radio1d.Shape(width=options["embed_dim"], heads=options["num_heads"], depth=options["depth"],
                          merge=options["downscale_levels"][0], prefix=len(state["patch_generator.cls_token.token"]),
                          grid=round(state["patch_generator.pos_embed"].shape[1] ** 0.5), decoder_depth=0, split=0,
                          filler_grid=1)
    with torch.device("meta"):
        radio = radio1d.Radio1D(shape, 768, final_norm="norm.weight" in state)
    del radio.decoder  # the encoder alone is compared
    radio.load_state_dict(state, assign=True)

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.radio = radio

        def forward(self, pixels):
            weight = self.radio.patch_generator.embedder.weight
            return self.radio.encode(pixel_patches(pixels).to(weight.dtype), None, pixels.shape[2] // 16,
                                     pixels.shape[3] // 16)[1]

    return Encoder().eval().requires_grad_(False)


def build_hybrid(folder):
    """The same for a model with a convolutional stem."""
    from tessera_training.hybrid_file import read_hybrid
    from tessera_training.stem import LITE_MEAN, LITE_STD
    from torch import nn

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.hybrid = read_hybrid(folder)

        def forward(self, pixels):
            weight = self.hybrid.radio.patch_generator.embedder.weight
            return self.hybrid.encode(((pixels - LITE_MEAN) / LITE_STD).to(weight.dtype))[1]

    encoder = Encoder()
    del encoder.hybrid.radio.decoder
    return encoder.eval().requires_grad_(False)


def torch_engine(engine, model, work, pixels, threads):
    import torch

    torch.set_num_threads(threads)
    encoder = build_model(model)
    if "bf16" in engine:
        encoder = encoder.to(torch.bfloat16)
    if engine.endswith("compiled"):
        encoder = torch.compile(encoder)
    x = torch.from_numpy(pixels)

    def run():
        with torch.inference_mode():
            return encoder(x).float().numpy()

    return run


def onnxruntime_engine(engine, model, work, pixels, threads):
    import onnxruntime
    import torch

    path = work / "onnx" / "encoder.onnx"
    if not path.exists():
        path.parent.mkdir()
        torch.onnx.export(build_model(model), (torch.from_numpy(pixels),), str(path), input_names=["pixels"],
                          opset_version=17, dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.force_spinning_stop", "1")  # between passes the processor is Tessera's
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"pixels": pixels})[0]


def openvino_engine(engine, model, work, pixels, threads):
    import numpy as np
    import openvino
    import torch

    core = openvino.Core()
    path = work / "openvino" / "encoder.xml"
    if not path.exists():
        converted = openvino.convert_model(build_model(model), example_input=torch.from_numpy(pixels),
                                           input=list(pixels.shape))
        openvino.save_model(converted, path, compress_to_fp16=False)
        del converted
    compiled = core.compile_model(core.read_model(path), "CPU", {
        "INFERENCE_PRECISION_HINT": engine.split()[1], "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"})
    return lambda: np.asarray(compiled(pixels)[0], dtype=np.float32)


def peak_engine(engine, model, work, pixels, threads):
    import torch

    torch.set_num_threads(threads)
    a, b = torch.randn(PEAK_SIZE, PEAK_SIZE), torch.randn(PEAK_SIZE, PEAK_SIZE)
    return lambda: (a @ b).numpy()


def serve(engine, case, work, threads):
    """What `encoder_bench --serve` does, by another engine."""
    import numpy as np

    size, batch = CASES[case]["size"], CASES[case]["batch"]
    folder = work / case
    pixels = np.fromfile(folder / "pixels.f32", np.float32).reshape(batch, 3, size, size)
    make = {"torch": torch_engine, "onnxruntime": onnxruntime_engine, "openvino": openvino_engine, "peak": peak_engine}
    run = make[engine.split()[0]](engine, model_folder(case, work), folder, pixels, threads)
    np.ascontiguousarray(run(), np.float32).tofile(folder / "theirs.f32")
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        print(1e3 * (time.perf_counter() - start), flush=True)


class Engine:
    """A process that has encoded the pixels once and times a pass whenever it is asked to."""

    def __init__(self, command):
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        while (line := self.process.stdout.readline()) != "ready\n":
            if not line:
                raise RuntimeError(f"{command[0]} ended with status {self.process.wait()}")

    def time_pass(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        rest, _ = self.process.communicate()
        return rest


def worst_cosine(path, expected, width):
    import numpy as np

    a, b = np.fromfile(path, np.float32).reshape(-1, width), expected.reshape(-1, width)
    if a.shape != b.shape:
        raise RuntimeError(f"{a.shape} tokens where Tessera has {b.shape}")
    return float(((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min())


def compare(case, args):
    import numpy as np

    setting, folder, model = CASES[case], args.work / case, model_folder(case, args.work)
    folder.mkdir(exist_ok=True)
    if not (model / "config.json").exists():
        subprocess.run([args.bin / "make_checkpoint", *setting["shape"], "--out", model], check=True)
    width = 2 * json.loads((model / "config.json").read_text())["args"]["model_kwargs"]["embed_dim"]
    pixels, tokens, theirs = folder / "pixels.f32", folder / "tokens.f32", folder / "theirs.f32"
    write_pixels(case, pixels)
    ours_command = [args.bin / "encoder_bench", "--model", model, "--size", setting["size"], "--batch",
                    setting["batch"], "--threads", args.threads, "--serve", pixels, tokens]
    results = {}
    for engine, (package, limit) in {**ENGINES, "peak": ("torch", None)}.items():
        if args.engine and engine not in args.engine or engine in setting.get("skip", []):
            continue
        if importlib.util.find_spec(package) is None:
            print(f"{case}: {engine} left out, {package} is not installed", file=sys.stderr)
            continue
        with contextlib.ExitStack() as stack:
            other = Engine([sys.executable, __file__, "--serve", engine, "--case", case, "--work", args.work,
                            "--threads", args.threads])
            stack.callback(other.process.kill)
            ours = Engine(ours_command)
            stack.callback(ours.process.kill)
            cosine = None
            if limit is not None:
                cosine = worst_cosine(theirs, np.fromfile(tokens, np.float32), width)
                if not cosine >= limit:
                    raise RuntimeError(f"{case}: tokens of {engine} differ from Tessera's, cosine {cosine}")
            pairs = [(ours.time_pass(), other.time_pass()) for _ in range(args.passes or setting["passes"])][1:]
            other.close()
            report = json.loads(ours.close())
        results[engine] = {
            "ours_ms": statistics.median(a for a, _ in pairs), "ms": statistics.median(b for _, b in pairs),
            "ratio": statistics.median(b / a for a, b in pairs), "worst_cosine": cosine, "ours": report,
        }
        if engine == "peak":
            rates = [(report["gflop_per_pass"] / a, 2e-9 * PEAK_SIZE ** 3 / b) for a, b in pairs]
            results[engine].update(ours_gflops=1e3 * statistics.median(a for a, _ in rates),
                                   peak_gflops=1e3 * statistics.median(b for _, b in rates),
                                   fraction_of_peak=statistics.median(a / b for a, b in rates))
            del results[engine]["ratio"]
        summary = {k: v for k, v in results[engine].items() if k != "ours"}
        print(f"{case}: {engine}: {json.dumps(summary)}", file=sys.stderr, flush=True)
        if args.out:
            args.report[case] = results
            args.out.write_text(json.dumps(args.report, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, help="folder of encoder_bench and make_checkpoint")
    parser.add_argument("--case", action="append", choices=CASES, help="default: all")
    parser.add_argument("--engine", action="append", choices=[*ENGINES, "peak"], help="default: all")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--passes", type=int, help="per engine, the first not counted")
    parser.add_argument("--work", type=Path, default=Path("encoder_compare"), help="checkpoints and converted models")
    parser.add_argument("--out", type=Path, help="JSON with everything")
    parser.add_argument("--serve", metavar="ENGINE", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve, args.case[0], args.work, args.threads)
        return
    if args.bin is None:
        parser.error("--bin is missing")
    args.work.mkdir(parents=True, exist_ok=True)
    args.report = {}
    for case in args.case or CASES:
        compare(case, args)


if __name__ == "__main__":
    main()
