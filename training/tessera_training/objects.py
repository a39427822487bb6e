"""Teaches the later tokens of a trained model which objects are where: the stem gets a second branch, a detector teaches.

The branch is the backbone of the detector (detector.py), at the stem's own resolution; its maps join the patch features, with weights
of zero at first, so that nothing changes. Then branch and blocks are trained together towards: tokens 1.. = the present token and
the detector's objects in the token's region, side by side; token 0, prefix and the other tokens as they are. A model that has
the branch already goes on from there; what its tokens keep is then that of the model before the branch.
The objects of a region (targets.REGIONS): for each class the best score over the region's cells, centred; they go to the directions
that the present tokens use least.
"""
import copy
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from . import cache
from .data import to_size
from .detector import SIZE, Detector, branch, load_stem
from .hybrid_file import conditioned, read_hybrid
from .losses import cosine_loss, relational_loss
from .radio1d import Hybrid
from .settle import settle_decoder
from .targets import REGIONS, unit
from .train import HELD_OUT, Chunk, has_bf16, save

BATCH = 64
KEPT_SHARE = 0.2    # of the present token in the square of the target of tokens 1..
POWER = 0.7         # of a score
SEEN = 0.3          # a score from which on a view counts as one with objects; half of a batch are such
RATES = {"radio": 4e-4, "branch": 3e-4, "head": 1e-3}
WEIGHTS = {"regions": 1.0, "cells": 0.3, "token0": 1.0, "relations": 0.5, "prefix": 0.3, "rest": 0.3}


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


class Store:
    """The cached views by grid shape; sample() takes half of a batch from views in which the detector saw something."""

    def __init__(self, cache_dir):
        self.cache_dir, self.known, self.held_out, self.groups = Path(cache_dir), set(), [], {}
        self.refresh()

    def refresh(self):
        for folder in sorted(self.cache_dir.glob("*/[0-9]*")):
            if folder in self.known or "tmp" in folder.name:
                continue
            self.known.add(folder)
            chunk = Chunk(folder)
            if len(self.held_out) < HELD_OUT:
                self.held_out.append(chunk)
                self.held_names = {int(i) for c in self.held_out for i in c.arrays["names"]}
                continue
            free = np.array([int(n) not in self.held_names for n in chunk.arrays["names"]])
            seen = chunk.arrays["detector"].max((1, 2, 3)) >= SEEN
            rows = np.flatnonzero(free), np.flatnonzero(free & seen)
            self.groups.setdefault(chunk.arrays["picture"].shape[1:3], []).append((chunk, *rows))

    def count(self):
        return sum(len(every) for group in self.groups.values() for _, every, _ in group)

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


def mirrored(batch):
    return {k: v.flip(2) if v.dim() == 4 else v for k, v in batch.items()}


def in_regions(cells):
    """[B, n, n, classes] -> [B, regions, classes]: the greatest over the cells of each region."""
    side = cells.shape[1]
    edges = [[round(v * side) for v in region] for region in REGIONS]
    return torch.stack([cells[:, top:bottom, left:right].amax((1, 2)) for top, bottom, left, right in edges], 1)


def objects_of(detector_map):
    return in_regions(detector_map.float()).clamp_min(0) ** POWER


class Targets:
    """Mean objects of each region, and the directions of a token that they go to."""

    def __init__(self, mean, directions):
        self.mean, self.directions = mean, directions

    @staticmethod
    @torch.no_grad()
    def fit(encode, chunks, taught):
        """`encode`: batch -> (prefix, tokens, ...) of a model; `taught`: its tokens hold objects, whose directions are looked for."""
        tokens, objects = [], []
        for chunk in chunks:
            batch = chunk.rows(np.arange(chunk.size))
            tokens.append(unit(encode(batch)[1][:, 1:1 + len(REGIONS)]))
            objects.append(objects_of(batch["detector"])[:, :tokens[-1].shape[1]])
        mean = torch.cat([F.pad(o, (0, 0, 0, len(REGIONS) - o.shape[1])) for o in objects]).mean(0)
        tokens, objects = torch.cat(tokens).flatten(0, 1), torch.cat([o - mean[:o.shape[1]] for o in objects])
        if taught:
            left, _, right = torch.linalg.svd(unit(objects).flatten(0, 1).T @ tokens, full_matrices=False)
            return Targets(mean, left @ right)
        vectors = torch.linalg.eigh((tokens.T @ tokens / len(tokens)).double())[1].float()
        return Targets(mean, vectors[:, :mean.shape[1]].T.contiguous())   # eigenvalues ascend

    def tokens(self, old, detector_map):
        """Present tokens 1.. [B, regions, D] and the detection map -> unit vectors [B, regions, D]"""
        objects = unit(objects_of(detector_map) - self.mean)[:, :old.shape[1]] @ self.directions
        return unit(KEPT_SHARE ** 0.5 * unit(old) + (1 - KEPT_SHARE) ** 0.5 * objects)


class CellHead(nn.Module):
    """Reads the detection map from the branch's two maps; for training only."""

    def __init__(self, widths, classes):
        super().__init__()
        self.mix, self.out = nn.Conv2d(sum(widths), 256, 3, padding=1), nn.Conv2d(256, classes, 1)
        nn.init.constant_(self.out.bias, -5)

    def forward(self, maps):
        fine, coarse = maps
        coarse = coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :fine.shape[2], :fine.shape[3]]
        return self.out(F.relu6(self.mix(torch.cat([fine, coarse], 1) / 2)))


def has_branch(hybrid):
    return any(layer["name"].startswith("detector.") for layer in hybrid.stem.spec["layers"])


def part_of_stem(stem, of_branch):
    """The Stem of the layers that belong to the branch, or of the others."""
    def belongs(name):
        return name.startswith("detector.") == of_branch
    layers = [layer for layer in stem.spec["layers"] if belongs(layer["name"])]
    maps = [name for name in stem.spec["patch_maps"] if belongs(name)]
    state = stem.state_dict()
    names = {layer["name"]: "layers." + layer["name"].replace(".", "_") for layer in layers}
    tensors = {name: (state[key + ".weight"], state[key + ".bias"]) for name, key in names.items()}
    return load_stem(layers, tensors, maps, maps[-1] if of_branch else stem.spec["global_map"], stem.spec["name"])


class Student(nn.Module):
    """The blocks of a trained model and the branch of its stem, a new one from `graph` if it has none."""

    def __init__(self, old, graph, classes):
        super().__init__()
        spec = copy.deepcopy(old.stem.spec)
        if has_branch(old):
            self.branch = part_of_stem(old.stem, True)
        else:
            layers, tensors, maps = branch(graph)
            self.branch = load_stem(layers, tensors, maps, maps[-1])
            spec["layers"] += layers
            spec["patch_maps"] += maps
        self.branch.to(memory_format=torch.channels_last)
        self.maps = self.branch.spec["patch_maps"]
        self.old_stem = [part_of_stem(old.stem, False)]   # in a list: not a module of this one
        self.hybrid = Hybrid(spec, old.radio.shape)
        state = old.radio.state_dict()
        narrow = state["patch_generator.embedder.weight"]
        wide = torch.zeros_like(self.hybrid.radio.patch_generator.embedder.weight)
        wide[:, :narrow.shape[1]] = narrow
        self.hybrid.radio.load_state_dict(state | {"patch_generator.embedder.weight": wide})
        self.known = narrow.shape[1]
        for buffer in ("patch_mean", "patch_scale"):
            getattr(self.hybrid, buffer)[:self.known] = getattr(old, buffer)
        self.hybrid.global_mean.copy_(old.global_mean)
        widths = [next(la["out"] for la in spec["layers"] if la["name"] == name) for name in self.maps]
        self.head = CellHead(widths, classes)
        self.hybrid.requires_grad_(False)
        for part in (self.hybrid.radio, self.branch, self.head):
            part.requires_grad_(True)
        for frozen in (self.hybrid.radio.decoder, self.hybrid.radio.token0_map):
            if frozen is not None:
                frozen.requires_grad_(False)

    def branch_maps(self, batch):
        kept = self.branch(conditioned(batch["picture"].numpy()), keep=self.maps)[2]
        return [kept[name] for name in self.maps]

    @torch.no_grad()
    def normalise(self, chunks):
        """Centre and scale of the new patch features, if there are any."""
        if self.known == self.hybrid.stem.patch_width:
            return
        cells = []
        for chunk in chunks:
            batch = chunk.rows(np.arange(0, chunk.size, 4))
            maps = self.branch_maps(batch)
            gh, gw = maps[0].shape[2:]
            cells.append(torch.cat([self.branch.to_grid(m, gh, gw) for m in maps], 2).flatten(0, 1))
        cells = torch.cat(cells)
        self.hybrid.patch_mean[self.known:] = cells.mean(0)
        self.hybrid.patch_scale[self.known:] = 1 / (cells.std(0) + 1e-3)

    def forward(self, batch):
        """-> (prefix, tokens, logits of the detection map [B, classes, gh, gw])"""
        maps = self.branch_maps(batch)
        gh, gw = maps[0].shape[2:]
        patches = torch.cat([stored_patches(self.old_stem[0], batch)[0],
                             *(self.branch.to_grid(m, gh, gw) for m in maps)], 2)
        prefix, tokens = self.hybrid.encode_features(patches, batch["stem.pooled"], gh, gw)
        return prefix, tokens, self.head(maps)

    def finished(self):
        """The hybrid with all weights of its stem."""
        stem = self.hybrid.stem
        stem.load_state_dict(self.old_stem[0].state_dict() | self.branch.state_dict())
        return self.hybrid.eval().requires_grad_(False)


def stored_patches(stem, batch):
    """Cached maps of the old stem -> (patches [B, gh * gw, F], gh, gw)"""
    maps = [batch["stem." + name].float().permute(0, 3, 1, 2) for name in stem.spec["patch_maps"]]
    gh, gw = maps[0].shape[2:]
    return torch.cat([stem.to_grid(m, gh, gw) for m in maps], 2), gh, gw


def encoder_of(old):
    """batch -> (prefix, tokens) of the model as it was."""
    def encode(batch):
        patches, gh, gw = stored_patches(old.stem, batch)
        return old.encode_features(patches, batch["stem.pooled"], gh, gw)
    return encode


def losses_of(student, old, targets, batch):
    """{name: loss}; `old` as given by encoder_of()."""
    with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16(torch.device("cpu"))):
        with torch.no_grad():
            prefix_was, tokens_were = (x.float() for x in old(batch))
        prefix, tokens, logits = student(batch)
    tokens, prefix, logits = tokens.float(), prefix.float(), logits.float()
    regions = slice(1, 1 + len(REGIONS))
    first = unit(tokens_were[:, 0])
    truth = batch["detector"].float().permute(0, 3, 1, 2)
    if truth.shape[2:] != logits.shape[2:]:
        truth = F.interpolate(truth, logits.shape[2:], mode="area")
    cells = F.binary_cross_entropy_with_logits(logits, truth, reduction="none").sum(1).mean()
    values = {"regions": cosine_loss(tokens[:, regions], targets.tokens(tokens_were[:, regions], batch["detector"])),
              "cells": cells,
              "token0": cosine_loss(tokens[:, 0], first), "relations": relational_loss(tokens[:, 0], first),
              "prefix": cosine_loss(prefix, unit(prefix_was))}
    if tokens.shape[1] > regions.stop:
        values["rest"] = cosine_loss(tokens[:, regions.stop:], unit(tokens_were[:, regions.stop:]))
    return values


def validate(student, old, targets, store):
    student.eval()
    values = []
    with torch.inference_mode():
        for chunk in store.held_out:
            for at in range(0, chunk.size, BATCH):
                batch = chunk.rows(np.arange(at, min(at + BATCH, chunk.size)))
                values.append({k: v.item() for k, v in losses_of(student, old, targets, batch).items()})
    student.train()
    return {k: sum(v[k] for v in values) / len(values) for k in values[0]}


def original_of(init, before):
    """(the model to start from, what its tokens are to keep: batch -> (prefix, tokens) of the model before the branch)"""
    start = read_hybrid(init)
    if before is None and has_branch(start):
        raise ValueError(f"{init}: has the branch already; name the model it was made of, for what the tokens are to keep")
    return start, encoder_of(read_hybrid(before) if before else start)


def train(work_dir, init, graph, minutes, before=None, log_every=50):
    """Trains for `minutes` in all, counted over interruptions; a checkpoint every two minutes.

    `before`: the model without the branch, where `init` has it already.
    """
    work_dir = Path(work_dir)
    original, old = original_of(init, before)
    store = Store(work_dir / "cache")
    checkpoint = work_dir / "objects.pt"
    torch.manual_seed(0)
    classes = store.held_out[0].arrays["detector"].shape[-1]
    student = Student(original, graph, classes)
    step = seconds = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        student.load_state_dict(state["student"])
        targets, step, seconds = Targets(state["mean"], state["directions"]), state["step"], state["seconds"]
    else:
        student.normalise(store.held_out)
        taught = has_branch(original)
        targets = Targets.fit(student.eval() if taught else old, store.held_out, taught)
    parts = {"radio": student.hybrid.radio, "branch": student.branch, "head": student.head}
    groups = [{"params": [p for p in part.parameters() if p.requires_grad], "name": name, "weight_decay": 0.01}
              for name, part in parts.items()]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    if checkpoint.exists():
        optimizer.load_state_dict(state["optimizer"])
    trained = [p for group in groups for p in group["params"]]
    rng, history, before, started, saved = np.random.default_rng(step), [], seconds, time.time(), time.time()
    student.train()
    while seconds < 60 * minutes:
        share = seconds / 60 / minutes
        pace = min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1, share))))
        for group in optimizer.param_groups:
            group["lr"] = RATES[group["name"]] * pace
        values = losses_of(student, old, targets, store.sample(BATCH, rng))
        optimizer.zero_grad(set_to_none=True)
        sum(WEIGHTS[k] * v for k, v in values.items()).backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        step += 1
        seconds = before + time.time() - started
        history.append({k: v.item() for k, v in values.items()})
        last = seconds >= 60 * minutes
        if step % log_every == 0 or last:
            line = {"step": step, "seconds": round(seconds), "views": store.count(),
                    "train": {k: sum(h[k] for h in history) / len(history) for k in history[0]},
                    "held_out": validate(student, old, targets, store)}
            line = json.dumps(line)
            with open(work_dir / "objects.log", "a", encoding="utf-8") as log:
                log.write(line + "\n")
            print(line, flush=True)
            history = []
            store.refresh()
        if time.time() - saved > 120 or last:
            save(checkpoint, student=student.state_dict(), optimizer=optimizer.state_dict(), step=step, seconds=seconds,
                 mean=targets.mean, directions=targets.directions)
            saved = time.time()


def finish(work_dir, init, graph, steps, before=None, chunks=8):
    """The hybrid of the last checkpoint, its decoder settled on `chunks` cached chunks of view 0; (hybrid, errors, step)

    It learns to give from the new tokens what the decoder of `init` gives from those of `init`.
    """
    state = torch.load(Path(work_dir) / "objects.pt", weights_only=True)
    original, _ = original_of(init, before)
    student = Student(original, graph, state["mean"].shape[1]).eval()
    student.load_state_dict(state["student"])
    was, old, new = Student(original, graph, state["mean"].shape[1]).eval(), [], []
    was.normalise(Store(Path(work_dir) / "cache").held_out)
    with torch.no_grad():
        for folder in sorted((Path(work_dir) / "cache" / "0").glob("[0-9]*"))[HELD_OUT:HELD_OUT + chunks]:
            chunk = Chunk(folder)
            for rows in np.array_split(np.arange(chunk.size), 4):
                batch = chunk.rows(rows)
                old.append(was(batch)[1])
                new.append(student(batch)[1])
    gh, gw = (side // 16 for side in batch["picture"].shape[1:3])
    hybrid = student.finished()
    errors = settle_decoder(hybrid.radio.decoder, torch.cat(old), torch.cat(new), gh, gw, steps)
    return hybrid, errors, state["step"]
