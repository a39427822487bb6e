# Speed of the same encoder written in PyTorch (bf16, fused attention), as the reference for the CUDA backend. Prints JSON.
import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width, heads, mlp_ratio):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, mlp_ratio * width), nn.Linear(mlp_ratio * width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(*qkv).transpose(1, 2).reshape(batch, tokens, width)
        x = x + self.proj(attended)
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Encoder(nn.Module):
    """The graph of core/src/model/vit.cpp with random weights; positions are those of one picture size."""

    def __init__(self, side, width=1280, depth=32, merge=24, heads=16, mlp_ratio=4, prefix=10, patch=16):
        super().__init__()
        self.grid, self.patch, self.prefix, self.merge = side // patch, patch, prefix, merge
        self.embed = nn.Linear(3 * patch * patch, width, bias=False)
        self.positions = nn.Parameter(torch.zeros(1, self.grid**2, width))
        self.tokens = nn.Parameter(torch.zeros(1, prefix, width))
        self.blocks = nn.ModuleList(
            Block(width * (1 if i < merge else 2), heads * (1 if i < merge else 2), mlp_ratio) for i in range(depth))
        self.merge_norm, self.reduce = nn.LayerNorm(4 * width), nn.Linear(4 * width, 2 * width, bias=False)
        self.widen = nn.Linear(width, 2 * width)
        self.norm = nn.LayerNorm(2 * width, eps=1e-6)

    def forward(self, pixels):
        batch, g, p = pixels.shape[0], self.grid, self.patch
        x = pixels.view(batch, 3, g, p, g, p).permute(0, 2, 4, 1, 3, 5).reshape(batch, g * g, 3 * p * p)
        x = torch.cat([self.tokens.expand(batch, -1, -1), self.embed(x) + self.positions], 1)
        for i, block in enumerate(self.blocks):
            if i == self.merge:
                head, cells = x[:, : self.prefix], x[:, self.prefix :]
                cells = cells.view(batch, g // 2, 2, g // 2, 2, -1).permute(0, 1, 3, 4, 2, 5).reshape(batch, g * g // 4, -1)
                x = torch.cat([self.widen(head), self.reduce(self.merge_norm(cells))], 1)
            x = block(x)
        return self.norm(x)


def main():
    parser = argparse.ArgumentParser(description="speed of the encoder in PyTorch")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--passes", type=int, default=10)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--depth", type=int, default=32)
    parser.add_argument("--compile", action="store_true", help="through torch.compile")
    options = parser.parse_args()
    torch.manual_seed(1)
    model = Encoder(options.size, options.width, options.depth, merge=options.depth * 3 // 4)
    model = model.to(options.device, torch.bfloat16).eval()
    run = torch.compile(model) if options.compile else model
    pixels = torch.rand(options.batch, 3, options.size, options.size).pin_memory() if options.device == "cuda" \
        else torch.rand(options.batch, 3, options.size, options.size)

    def once():
        with torch.inference_mode():
            return run(pixels.to(options.device, torch.bfloat16, non_blocking=True)).float().cpu()

    if not torch.isfinite(once()).all():
        raise SystemExit("the output is not finite")
    once()
    times = []
    for _ in range(options.passes):
        if options.device == "cuda":
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            once()
            end.record()
            torch.cuda.synchronize()
            times.append(begin.elapsed_time(end))
        else:
            start = time.perf_counter()
            once()
            times.append(1e3 * (time.perf_counter() - start))
    median = statistics.median(times)
    print(json.dumps({"torch": torch.__version__, "device": options.device, "size": options.size, "batch": options.batch,
                      "compile": options.compile, "passes": options.passes, "ms_median": median, "ms_min": min(times),
                      "images_per_second": 1e3 * options.batch / median}, indent=2))


if __name__ == "__main__":
    main()
