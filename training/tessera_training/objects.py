"""Teaches the later tokens of a trained model which objects are where: the stem gets a second branch, a detector teaches.

The branch is the backbone of the detector (detector.py), at the stem's own resolution; its maps join the patch features, with weights
of zero in the projection, so that the blocks see what they saw. A region head (radio1d.RegionHead) reads the patch features of a list of
regions (targets.REGIONS) and adds what it makes of them to the tokens after token 0. It learns the objects of the region: for
each class the best score of the detector over the region's cells, centred, at unit length. They go to the directions that the
present tokens use least. First the head is fitted on frozen features, then it and the branch are trained together.
"""
import copy
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn

from . import cache
from .data import to_size
from .detector import SIZE, Detector, branch, load_stem
from .hybrid_file import conditioned, read_hybrid
from .radio1d import Hybrid, RegionHead
from .settle import settle_decoder
from .targets import REGIONS, unit
from .train import HELD_OUT, Chunk, has_bf16, save

BATCH = 64
HIDDEN = 512        # of the head
POWER = 0.7         # of a score
SEEN = 0.3          # a score from which on a view counts as one with objects; half of a batch are such
SHARE = 0.8         # of the objects in the square of a token, in the mean
DROPOUT = 0.2
FIT_RATE, FIT_BATCH, FIT_PASSES = 1e-3, 128, 6
RATES = {"head": 5e-4, "branch": 2e-4}
BOXES = [[round(12 * edge) for edge in region] for region in REGIONS]
CPU = torch.device("cpu")


class ObjectExtractor:
    """What fill() stores of a view: the picture at the stem's size, the stem's maps, the detection map."""

    def __init__(self, stem_name, stem_size, graph):
        self.stem_size = stem_size
        self.stem = cache.stem_outputs(stem_name)
        self.detector = Detector(graph)

    def run(self, images, shape):
        small = np.stack([to_size(image, *cache.sized(shape, self.stem_size)) for image in images])
        large = np.stack([to_size(image, SIZE, SIZE) for image in images])
        out = {"stem." + name: value.astype(np.float16) for name, value in self.stem(small).items()}
        return out | {"picture": small, "detector": self.detector.maps(large)}


def object_extractor(options, _):
    """The ObjectExtractor of one worker of the cache."""
    return ObjectExtractor(options["stem_name"], options["stem_size"], options["graph"])


def mirrored(batch):
    return {k: v.flip(2) if v.dim() == 4 else v for k, v in batch.items()}


class Store:
    """The cached views by grid shape; sample() takes half of a batch from views in which the detector saw something."""

    def __init__(self, cache_dir):
        self.held_out, self.chunks, self.groups = [], [], {}
        for folder in sorted(Path(cache_dir).glob("*/[0-9]*")):
            if "tmp" in folder.name:
                continue
            chunk = Chunk(folder)
            if len(self.held_out) < HELD_OUT:
                self.held_out.append(chunk)
                held_names = {int(i) for c in self.held_out for i in c.arrays["names"]}
                continue
            free = np.array([int(n) not in held_names for n in chunk.arrays["names"]])
            seen = chunk.arrays["detector"].max((1, 2, 3)) >= SEEN
            self.chunks.append((chunk, np.flatnonzero(free), np.flatnonzero(free & seen)))
            self.groups.setdefault(chunk.arrays["picture"].shape[1:3], []).append(self.chunks[-1])

    def sample(self, size, rng):
        shapes = list(self.groups)
        share = np.array([sum(len(g[1]) for g in self.groups[s]) for s in shapes], float)
        group = self.groups[shapes[rng.choice(len(shapes), p=share / share.sum())]]
        parts = []
        for number, at in enumerate(rng.integers(0, len(group), 8)):
            chunk, every, seen = group[at]
            rows = seen if number % 2 and len(seen) >= size // 8 else every
            parts.append(chunk.rows(np.sort(rng.choice(rows, min(len(rows), size // 8), replace=False))))
        batch = {k: torch.cat([p[k] for p in parts]) for k in parts[0]}
        return mirrored(batch) if rng.random() < 0.5 else batch


def in_regions(cells):
    """[B, n, n, classes] -> [B, regions, classes]: the greatest over the cells of each region."""
    side = cells.shape[1]
    edges = [[round(v * side) for v in region] for region in REGIONS]
    return torch.stack([cells[:, top:bottom, left:right].amax((1, 2)) for top, bottom, left, right in edges], 1)


def objects_of(detector_map):
    """The detection map -> [B, regions, classes]"""
    return in_regions(detector_map.float()).clamp_min(0) ** POWER


def stored_patches(stem, batch):
    """Cached maps of a stem -> [B, gh, gw, F]"""
    maps = [batch["stem." + name].float().permute(0, 3, 1, 2) for name in stem.spec["patch_maps"]]
    gh, gw = maps[0].shape[2:]
    return torch.cat([stem.to_grid(m, gh, gw) for m in maps], 2).unflatten(1, (gh, gw))


class Student(nn.Module):
    """The branch and the head; what they learn is the objects of the regions less their mean, at unit length."""

    def __init__(self, original, graph, classes):
        super().__init__()
        layers, tensors, self.maps = branch(graph)
        self.branch = load_stem(layers, tensors, self.maps, self.maps[-1]).to(memory_format=torch.channels_last)
        self.stem = [original.stem]   # in a list: not a module of this one, it stays as it is
        features = original.stem.patch_width + self.branch.patch_width
        self.head = RegionHead({"boxes": BOXES, "hidden": HIDDEN}, features, classes)
        self.dropout = nn.Dropout(DROPOUT)
        self.register_buffer("objects_mean", torch.zeros(len(REGIONS), classes))
        self.register_buffer("mean", torch.zeros(2 * features + len(BOXES)))
        self.register_buffer("scale", torch.ones(2 * features + len(BOXES)))

    def patches(self, batch):
        """Stem and branch -> [B, gh, gw, F]"""
        kept = self.branch(conditioned(batch["picture"].numpy()), keep=self.maps)[2]
        before = stored_patches(self.stem[0], batch)
        gh, gw = before.shape[1:3]
        maps = [self.branch.to_grid(kept[name], gh, gw).unflatten(1, (gh, gw)) for name in self.maps]
        return torch.cat([before, *(m.float() for m in maps)], 3)

    def read(self, pooled):
        """The head on pooled features [B, R, 2F + R]"""
        hidden = nn.functional.gelu(self.head.fc1((pooled.float() - self.mean) * self.scale))
        return self.head.fc2(self.dropout(hidden)).float()

    def target(self, detector_map):
        return unit(objects_of(detector_map) - self.objects_mean)

    def loss(self, pooled, detector_map):
        return (self.read(pooled) - self.target(detector_map)).square().sum(-1).mean()


def autocast():
    return torch.autocast("cpu", torch.bfloat16, enabled=has_bf16(CPU))


@torch.no_grad()
def pooled_of(student, chunk, rows):
    """Pooled features of some rows of a chunk as float16, and their detection maps."""
    pooled, maps = [], []
    for part in np.array_split(rows, max(1, len(rows) // BATCH)):
        batch = chunk.rows(part)
        with autocast():
            pooled.append(student.head.pool(student.patches(batch)).half())
        maps.append(batch["detector"])
    return torch.cat(pooled), torch.cat(maps)


def fit_head(student, store, rng):
    """The head alone, from features that are computed once."""
    parts = [pooled_of(student, chunk, rows) for chunk, rows, _ in store.chunks if len(rows)]
    pooled = torch.cat([p for p, _ in parts])
    student.objects_mean.copy_(torch.cat([objects_of(m) for _, m in parts]).mean(0))
    targets = torch.cat([student.target(m) for _, m in parts])
    sample = pooled[::max(1, len(pooled) // 2000)].float()
    student.mean.copy_(sample.mean((0, 1)))
    student.scale.copy_(1 / (sample.std((0, 1)) + 1e-3))
    student.mean[-len(BOXES):], student.scale[-len(BOXES):] = 0, 1
    optimizer = torch.optim.AdamW(student.head.parameters(), weight_decay=0.05)
    student.train()
    steps, step = FIT_PASSES * math.ceil(len(pooled) / FIT_BATCH), 0
    for _ in range(FIT_PASSES):
        for rows in np.array_split(rng.permutation(len(pooled)), math.ceil(len(pooled) / FIT_BATCH)):
            optimizer.param_groups[0]["lr"] = FIT_RATE * max(0.02, 1 - step / steps)
            with autocast():
                loss = (student.read(pooled[rows]) - targets[rows]).square().sum(-1).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            step += 1


def validate(student, store):
    """Mean loss over the held-out chunks; 1 = predicting nothing."""
    student.eval()
    values = []
    with torch.no_grad():
        for chunk in store.held_out:
            pooled, maps = pooled_of(student, chunk, np.arange(chunk.size))
            values.append(student.loss(pooled, maps).item())
    student.train()
    return sum(values) / len(values)


def train(work_dir, init, graph, minutes, log_every=100):
    """Fits the head, then trains head and branch for `minutes` in all, counted over interruptions."""
    work_dir = Path(work_dir)
    store, checkpoint = Store(work_dir / "cache"), work_dir / "objects.pt"
    torch.manual_seed(0)
    student = Student(read_hybrid(init), graph, store.held_out[0].arrays["detector"].shape[-1])
    state = torch.load(checkpoint, weights_only=True) if checkpoint.exists() else None
    step, before = (state["step"], state["seconds"]) if state else (0, 0.0)
    rng = np.random.default_rng(step)

    def log(**values):
        line = json.dumps(values)
        with open(work_dir / "objects.log", "a", encoding="utf-8") as file:
            file.write(line + "\n")
        print(line, flush=True)

    if state:
        student.load_state_dict(state["student"])
    else:
        fit_head(student, store, rng)
        log(step=0, views=sum(len(rows) for _, rows, _ in store.chunks), held_out=validate(student, store))
    student.branch.requires_grad_(True)
    student.head.requires_grad_(True)
    groups = [{"params": list(part.parameters()), "name": name, "weight_decay": 0.02}
              for name, part in (("head", student.head), ("branch", student.branch))]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    if state:
        optimizer.load_state_dict(state["optimizer"])
    seconds, losses, started, saved = before, [], time.time(), time.time()

    def keep():
        save(checkpoint, student=student.state_dict(), optimizer=optimizer.state_dict(), step=step, seconds=seconds)

    student.train()
    while seconds < 60 * minutes:
        pace = min(1, (step + 1) / 50) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * seconds / 60 / minutes)))
        for group in optimizer.param_groups:
            group["lr"] = RATES[group["name"]] * pace
        batch = store.sample(BATCH, rng)
        with autocast():
            loss = student.loss(student.head.pool(student.patches(batch)), batch["detector"])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([p for group in groups for p in group["params"]], 1.0)
        optimizer.step()
        step += 1
        losses.append(loss.item())
        seconds = before + time.time() - started
        if step % log_every == 0 or seconds >= 60 * minutes:
            log(step=step, seconds=round(seconds), train=sum(losses) / len(losses), held_out=validate(student, store))
            losses = []
        if time.time() - saved > 120:
            keep()
            saved = time.time()
    keep()
    return student.eval()


def least_used(tokens, count):
    """The `count` orthonormal directions in which unit tokens [N, D] are weakest: [count, D]"""
    return torch.linalg.eigh((tokens.T @ tokens / len(tokens)).double())[1].float()[:, :count].T.contiguous()


def joined(original, student, directions, gain):
    """The original with branch and head, as it is exported."""
    spec = copy.deepcopy(original.stem.spec)
    spec["layers"] += student.branch.spec["layers"]
    spec["patch_maps"] += student.maps
    spec["regions"] = {"hidden": HIDDEN, "boxes": BOXES}
    hybrid = Hybrid(spec, original.radio.shape)
    state = original.radio.state_dict()
    narrow = state["patch_generator.embedder.weight"]
    wide = torch.zeros_like(hybrid.radio.patch_generator.embedder.weight)
    wide[:, :narrow.shape[1]] = narrow
    hybrid.radio.load_state_dict(state | {"patch_generator.embedder.weight": wide})
    hybrid.patch_mean[:narrow.shape[1]] = original.patch_mean
    hybrid.patch_scale[:narrow.shape[1]] = original.patch_scale
    hybrid.global_mean.copy_(original.global_mean)
    hybrid.stem.load_state_dict(original.stem.state_dict() | student.branch.state_dict())
    with torch.no_grad():
        weight = student.head.fc1.weight * student.scale
        hybrid.regions.fc1.weight.copy_(weight)
        hybrid.regions.fc1.bias.copy_(student.head.fc1.bias - weight @ student.mean)
        turn = gain * directions.T
        hybrid.regions.fc2.weight.copy_(turn @ student.head.fc2.weight)
        hybrid.regions.fc2.bias.copy_(turn @ student.head.fc2.bias)
    return hybrid.eval().requires_grad_(False)


@torch.no_grad()
def finish(work_dir, init, graph, steps, share=SHARE, chunks=8):
    """The hybrid of the last checkpoint, its decoder settled on some chunks of one grid; (hybrid, errors, step)"""
    store = Store(Path(work_dir) / "cache")
    state = torch.load(Path(work_dir) / "objects.pt", weights_only=True)
    original = read_hybrid(init)
    student = Student(original, graph, state["student"]["objects_mean"].shape[1]).eval()
    student.load_state_dict(state["student"])
    group = max(store.groups.values(), key=len)[:chunks]
    tokens, objects = [], []
    for chunk, _, _ in group:
        for rows in np.array_split(np.arange(chunk.size), max(1, chunk.size // BATCH)):
            batch = chunk.rows(rows)
            patches = stored_patches(original.stem, batch)
            gh, gw = patches.shape[1:3]
            tokens.append(original.encode_features(patches.flatten(1, 2), batch["stem.pooled"], gh, gw)[1])
            objects.append(student.read(student.head.pool(student.patches(batch))))
    tokens, objects = torch.cat(tokens), torch.cat(objects)
    later = tokens[:, 1:1 + len(REGIONS)]
    objects = objects[:, :later.shape[1]]
    directions = least_used(unit(later).flatten(0, 1), objects.shape[2])
    gain = (share / (1 - share)) ** 0.5 * (later.norm(dim=-1).mean() / objects.norm(dim=-1).mean()).item()
    hybrid = joined(original, student, directions, gain)
    after = tokens.clone()
    after[:, 1:1 + later.shape[1]] += gain * objects @ directions
    with torch.enable_grad():
        errors = settle_decoder(hybrid.radio.decoder, tokens, after, gh, gw, steps)
    return hybrid, errors, state["step"]
