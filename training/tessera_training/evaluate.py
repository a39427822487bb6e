"""Measures an exported model, or the stem's or a teacher's own pooled features, on the evaluation sets of a --data folder.

Class sets: P@1 and P@5 (ukbench P@3), pictures cropped to the centre square. Composition sets: Comp@1 and Comp@5, the set itself
as database, pictures resized by their shorter side, aspect kept. Token 0 alone and the first 16 tokens `aligned`.
"""
import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from .data import (CLASS_SETS, COMPOSITION_SETS, centre_square, read_boxes, read_evaluation, short_side_size, to_size)
from .hybrid_file import conditioned, read_hybrid
from .metrics import aligned_tokens, comp_at, composition_table, precision, unit
from .teachers import available

BATCH = 32


def by_size(images, size, square):
    """{(width, height): [(number, pixels)]} of prepared pictures."""
    groups = {}
    for number, image in enumerate(images):
        if square:
            image, wanted = centre_square(image), (size, size)
        else:
            wanted = short_side_size(image, size)
        groups.setdefault(wanted, []).append((number, to_size(image, *wanted)))
    return groups


def run_batched(function, images, size, square):
    """function(uint8 [B, H, W, 3]) -> [B, ...] of every picture, in order."""
    results = [None] * len(images)
    for group in by_size(images, size, square).values():
        for at in range(0, len(group), BATCH):
            part = group[at:at + BATCH]
            for (number, _), value in zip(part, function(np.stack([pixels for _, pixels in part]))):
                results[number] = value
    return np.stack(results)


def similarities(tokens):
    """{name: [N, N]} of tokens [N, n, D]."""
    first = unit(tokens[:, 0])
    table = {"token0": first @ first.T}
    if tokens.shape[1] > 1:
        rows = aligned_tokens(tokens, 16)
        table["aligned16"] = rows @ rows.T
    return table


class RoundedProducts(TorchFunctionMode):
    """Every convolution and matrix product takes and gives values rounded to bf16; sums stay float32, as bf16 units have them.

    So what bf16 does to the figures can be measured on a processor without such units.
    """
    PRODUCTS = (F.conv2d, F.linear, torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__)

    @staticmethod
    def rounded(x):
        return x.to(torch.bfloat16).to(x.dtype) if isinstance(x, torch.Tensor) else x

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func not in self.PRODUCTS:
            return func(*args, **(kwargs or {}))
        kwargs = {k: self.rounded(v) for k, v in (kwargs or {}).items()}
        return self.rounded(func(*map(self.rounded, args), **kwargs))


def model_tokens(folder, bf16=False):
    """A function from pictures to the first 16 tokens."""
    hybrid = read_hybrid(folder)
    hybrid.stem.to(memory_format=torch.channels_last)

    def encode(pictures):
        with torch.inference_mode(), RoundedProducts() if bf16 else nullcontext():
            return hybrid.encode(conditioned(pictures))[1][:, :16].numpy()
    return encode


def stem_tokens(folder):
    """The stem's pooled features alone (square root, unit length) as one token: what the blocks have to improve on."""
    hybrid = read_hybrid(folder)

    def encode(pictures):
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            pooled = hybrid.stem(conditioned(pictures))[1].float()
        return unit(pooled.clamp_min(0).sqrt().numpy())[:, None]
    return encode


def teacher_tokens(teacher_dir, part):
    """One teacher's pooled features (square root, unit length) as one token."""
    teachers = available(teacher_dir)

    def encode(pictures):
        for teacher in teachers:
            features = teacher.features(pictures)
            if part in features:
                return unit(features[part].clamp_min(0).sqrt().numpy())[:, None]
        raise ValueError(f"{teacher_dir}: no teacher gives {part}")
    return encode


def evaluate(encode, data_dir, size, centred=False, sets=CLASS_SETS + COMPOSITION_SETS, queries=400, table_dir=None):
    """{set: {similarity: (first, second)}}; `centred` subtracts each set's mean (for features that were not trained)."""
    results = {}
    for name in sets:
        names, labels, images = read_evaluation(data_dir, name)
        square = name in CLASS_SETS
        tokens = run_batched(encode, images, size, square)
        if centred:
            tokens = tokens - tokens.mean(0)
        results[name] = {}
        if not square:
            cached = Path(table_dir) / f"comp_{name}.npy" if table_dir else None
            if cached is not None and cached.exists():
                table = np.load(cached)
            else:
                table = composition_table(names, read_boxes(data_dir, name), min(queries, len(names)))
                if cached is not None:
                    np.save(cached, table)
        for kind, similarity in similarities(tokens).items():
            if square:
                pair = precision(similarity, labels, 3 if name == "ukbench" else 5)
            else:
                pair = comp_at(table, similarity, 1), comp_at(table, similarity, 5)
            results[name][kind] = tuple(round(float(v), 1) for v in pair)
    return results


def report(title, results):
    """One line per similarity, and the mean P@5 over the four class sets."""
    for kind in next(iter(results.values())):
        cells = [f"{name} {values[kind][0]:.1f}/{values[kind][1]:.1f}" for name, values in results.items()]
        four = [results[n][kind][1] for n in CLASS_SETS if n in results and n != "ukbench"]
        mean = f"  mean P@5 {sum(four) / len(four):.2f}" if four else ""
        print(f"{title} {kind}: " + "  ".join(cells) + mean, flush=True)


def save_results(path, title, results):
    """Appends one JSON line."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps({"title": title, "results": results}) + "\n")
