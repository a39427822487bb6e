"""Trains the RADIO1D part on cached stem features; resumable, and continues while the cache grows.

Losses: token 0 by cosine and by batch similarities towards the joined teachers, without a head; the summary through a linear head;
tokens 1.. towards the teacher's features of their regions (the first components of the token, without a head, and by batch
similarities); the decoder's output from the first l tokens towards the teacher's dense map, l ~ p(x) = 2 - 2x.
"""
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from .hybrid_file import read_hybrid, without_objects
from .losses import cosine_loss, relational_loss, sample_token_count
from .radio1d import GLOBAL_SCALE, Hybrid, Shape, normalised_global
from .stem import lite_stem
from .targets import Targets, procrustes, teacher_parts

BATCH = 128
DENSE_TARGET = 48
HELD_OUT = 2      # chunks of view 0 that are never trained on
WEIGHTS = {"token0": 1.0, "relations": 1.0, "summary": 0.5, "regions": 0.7, "dense": 0.5}


@dataclass
class Recipe:
    """What may differ from training to training; fixed by the first start in a work folder but for the rate."""
    teachers: dict | None = None   # weights of teacher parts, None = teachers.WEIGHTS of those cached
    directions: int | None = None  # of the joined teachers, None = one for each value of a token
    power: float = 1.0             # of their singular values
    without: tuple = ()            # names of losses left out
    augment: bool = True           # windows of the grid and mirroring
    rate: float = 1.5e-3           # of learning, at its highest
    batch: int = BATCH             # views a step


class Student(nn.Module):
    """The exported model and the heads that exist for training only."""

    def __init__(self, stem_spec, shape):
        super().__init__()
        self.net = Hybrid(stem_spec, shape)
        self.dense_head = nn.Linear(shape.width, DENSE_TARGET)
        self.summary_head = nn.Linear(2 * shape.class_tokens * shape.width, 2 * shape.width)


def new_student(stem_name):
    """A student with the pretrained stem and fresh blocks."""
    torch.manual_seed(0)
    stem, _ = lite_stem(stem_name)
    student = Student(stem.spec, Shape())
    for name, parameter in student.named_parameters():
        if parameter.dim() == 2 and name.endswith("weight"):
            nn.init.trunc_normal_(parameter, std=0.02)
    nn.init.zeros_(student.net.radio.token0_map.weight)
    nn.init.zeros_(student.net.radio.token0_map.bias)
    student.net.stem.load_state_dict(stem.state_dict())
    student.net.stem.requires_grad_(False)
    return student


class Chunk:
    """One cache folder, memory-mapped."""

    def __init__(self, folder):
        self.arrays = {p.stem: np.load(p, mmap_mode="r") for p in Path(folder).glob("*.npy")}
        self.size = len(self.arrays["names"])

    def rows(self, rows):
        return {k: torch.from_numpy(np.ascontiguousarray(v[rows])) for k, v in self.arrays.items() if k != "names"}


class FeatureStore:
    """All chunks of a cache; refresh() picks up new ones. A batch comes from chunks of one grid shape."""

    def __init__(self, cache_dir):
        self.cache_dir, self.known, self.groups, self.held_out = Path(cache_dir), set(), {}, []
        self.refresh()

    def refresh(self):
        for folder in sorted(self.cache_dir.glob("*/*")):
            if folder in self.known or "tmp" in folder.name:
                continue
            self.known.add(folder)
            chunk = Chunk(folder)
            if folder.parent.name == "0" and len(self.held_out) < HELD_OUT:
                self.held_out.append(chunk)
                self.held_names = {int(i) for c in self.held_out for i in c.arrays["names"]}
                continue
            keep = np.array([i for i, n in enumerate(chunk.arrays["names"]) if int(n) not in self.held_names])
            self.groups.setdefault(chunk.arrays["dense"].shape[1:3], []).append((chunk, keep))

    def count(self):
        return sum(len(keep) for group in self.groups.values() for _, keep in group)

    def sample(self, size, rng):
        """Random rows of four random chunks of one shape."""
        shapes = list(self.groups)
        share = np.array([sum(len(k) for _, k in self.groups[s]) for s in shapes], float)
        group = self.groups[shapes[rng.choice(len(shapes), p=share / share.sum())]]
        picks = [group[i] for i in rng.integers(0, len(group), 4)]
        parts = [chunk.rows(np.sort(rng.choice(keep, min(len(keep), size // 4), replace=False)))
                 for chunk, keep in picks]
        return {k: torch.cat([p[k] for p in parts]) for k in parts[0]}


def mirrored(batch):
    """The cached maps mirrored left to right: nearly what the mirrored pictures would give."""
    return {k: v.flip(2) if v.dim() == 4 else v for k, v in batch.items()}


def student_inputs(student, batch):
    """Cached maps -> (patches [B, gh, gw, F], pooled [B, G])"""
    maps = [batch["stem." + name] for name in student.net.stem.spec["patch_maps"]]
    gh, gw = maps[0].shape[1:3]
    patches = torch.cat([student.net.stem.to_grid(m.permute(0, 3, 1, 2), gh, gw) for m in maps], 2)
    return patches.unflatten(1, (gh, gw)), batch["stem.pooled"]


def stem_output(stem, batch):
    """Cached maps -> (patches [B, gh * gw, F], pooled, gh, gw)"""
    maps = [batch["stem." + name].float().permute(0, 3, 1, 2) for name in stem.spec["patch_maps"]]
    gh, gw = maps[0].shape[2:]
    return torch.cat([stem.to_grid(m, gh, gw) for m in maps], 2), batch["stem.pooled"], gh, gw


def stem_batches(work_dir, stem, chunks, held_out=HELD_OUT):
    """Raw stem outputs (patches, pooled, gh, gw) of the first trained chunks of view 0, a quarter of a chunk each."""
    for folder in sorted((Path(work_dir) / "cache" / "0").glob("[0-9]*"))[held_out:held_out + chunks]:
        chunk = Chunk(folder)
        for rows in np.array_split(np.arange(chunk.size), 4):
            yield stem_output(stem, chunk.rows(rows))


def sample_window(gh, gw, rng):
    """(top, left, height, width) of the part of the grid that is trained on: half of the time all of it.

    Otherwise one side is cut by up to a third, to an even number of cells, so that other grid shapes are seen too.
    """
    if rng.random() < 0.5:
        return 0, 0, gh, gw
    height, width = gh, gw
    if rng.random() < 0.5:
        height = 2 * int(rng.integers(gh // 3, gh // 2 + 1))
    else:
        width = 2 * int(rng.integers(gw // 3, gw // 2 + 1))
    return int(rng.integers(0, gh - height + 1)), int(rng.integers(0, gw - width + 1)), height, width


def has_bf16(device):
    """Processors without AVX-512 compute bf16 a hundred times slower than float32."""
    return device.type == "cuda" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def losses_of(student, targets, batch, device, window=None, count=None):
    """{name: loss} of one batch: the `window` of the grid (None = all), `count` tokens to the decoder (None = all)."""
    patches, pooled = student_inputs(student, batch)
    dense = targets.at_grid(batch["dense"], *patches.shape[1:3])
    top, left, gh, gw = window or (0, 0, *patches.shape[1:3])
    patches, dense = (x[:, top:top + gh, left:left + gw].contiguous() for x in (patches, dense))
    patches = patches.flatten(1, 2)
    whole = targets.whole(teacher_parts(batch)).to(device)
    regions = targets.regions(dense).to(device)
    decoded = len(patches) // 2 if student.training else len(patches)
    cells = targets.cells(dense[:decoded], DENSE_TARGET).to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
        prefix, tokens = student.net.encode_features(patches.to(device), pooled.to(device), gh, gw)
        shape = student.net.radio.shape
        dense = student.dense_head(student.net.radio.decoder(tokens[:decoded, :count], gh, gw)[:, shape.prefix:])
        summary = student.summary_head(prefix[:, :shape.class_tokens].flatten(1))
    regions = regions[:, :tokens.shape[1] - 1]
    placed = tokens[:, 1:1 + regions.shape[1]].float()
    lead = placed[..., :regions.shape[-1]]
    lead_share = 1 - lead.square().sum(-1) / placed.square().sum(-1)
    return {"token0": cosine_loss(tokens[:, 0], whole), "relations": relational_loss(tokens[:, 0], whole),
            "summary": cosine_loss(summary, whole),
            "regions": cosine_loss(lead, regions) + 0.5 * lead_share.mean(),
            "dense": F.mse_loss(dense.float(), cells)}


def optimizer_of(student):
    trained = [(n, p) for n, p in student.named_parameters() if p.requires_grad]
    decay = [p for n, p in trained if p.dim() == 2 and n.endswith("weight")]
    rest = [p for n, p in trained if not (p.dim() == 2 and n.endswith("weight"))]
    return torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}],
                             betas=(0.9, 0.98))


def fit_normalisation(student, chunks):
    """Feature centring and scale from some cached chunks."""
    rows = [student_inputs(student, c.rows(np.arange(c.size))) for c in chunks]
    patches = torch.cat([r[0].flatten(0, 2).float() for r in rows])
    student.net.patch_mean.copy_(patches.mean(0))
    student.net.patch_scale.copy_(1 / (patches.std(0) + 1e-3))
    student.net.global_mean.copy_(torch.cat([normalised_global(r[1]) for r in rows]).mean(0))


def fit_global_map(student, targets, chunks, ridge=1e-3, gain=10.0):
    """Starts the global map as the ridge regression from the stem's pooled features to the leading target components."""
    rows = [{k: v for k, v in c.rows(np.arange(c.size)).items() if k == "stem.pooled" or k.startswith("teacher.")}
            for c in chunks]
    x = torch.cat([(normalised_global(r["stem.pooled"]) - student.net.global_mean) * GLOBAL_SCALE for r in rows])
    y = torch.cat([targets.whole(teacher_parts(r)) for r in rows])
    width = student.net.radio.shape.width
    gram = x.T @ x / len(x)
    gram += ridge * gram.trace() * torch.eye(len(gram)) / len(gram)
    solution = torch.linalg.solve(gram, x.T @ y[:, :width] / len(x))
    student.net.radio.patch_generator.global_map.weight.copy_(gain * solution.T)
    student.net.radio.patch_generator.global_map.bias.zero_()


def align_targets(student, targets, path, chunks):
    """Turns freshly fitted targets to the axes that an already trained student uses, so that it can go on at once."""
    pairs = {"whole": ([], []), "regions": ([], [])}
    student.eval()
    for chunk in chunks:
        batch = chunk.rows(np.arange(chunk.size))
        patches, pooled = student_inputs(student, batch)
        gh, gw = patches.shape[1:3]
        _, tokens = student.net.encode_features(patches.flatten(1, 2), pooled, gh, gw)
        regions = targets.regions(targets.at_grid(batch["dense"], gh, gw))[:, :tokens.shape[1] - 1]
        pairs["whole"][0].append(targets.whole(teacher_parts(batch)))
        pairs["whole"][1].append(F.normalize(tokens[:, 0], dim=-1))
        pairs["regions"][0].append(regions.flatten(0, 1))
        placed = tokens[:, 1:1 + regions.shape[1], :regions.shape[2]]
        pairs["regions"][1].append(F.normalize(placed, dim=-1).flatten(0, 1))
    student.train()
    turns = {k: procrustes(torch.cat(source), torch.cat(wanted)) for k, (source, wanted) in pairs.items()}
    targets.rotate(path, turns["whole"], turns["regions"])


def save(path, **state):
    temporary = f"{path}.{os.getpid()}"
    torch.save(state, temporary)
    os.replace(temporary, path)


def validate(student, targets, store, device):
    """Mean losses over the held-out chunks."""
    student.eval()
    values = []
    with torch.inference_mode():
        for chunk in store.held_out:
            for at in range(0, chunk.size - BATCH + 1, BATCH):
                batch = chunk.rows(np.arange(at, at + BATCH))
                values.append({k: v.item() for k, v in losses_of(student, targets, batch, device).items()})
    student.train()
    return {k: sum(v[k] for v in values) / len(values) for k in values[0]}


def learning_rate(rate, step, progress, steps):
    """Warm-up over 200 steps, at most a quarter of all, then a cosine down to 1 % over the run; `progress` in 0..1."""
    return rate * min(1, (step + 1) / min(200, max(1, steps // 4))) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1, progress))))


def train(work_dir, stem_name, steps, minutes=None, recipe=Recipe(), init=None, log_every=100):
    """Trains until `steps` steps or `minutes` minutes in all, whichever comes first, counted over interruptions.

    Goes on from WORK/student.pt if that is there, else from the exported model `init` (without its second branch: objects come
    last), else from scratch.
    """
    work_dir = Path(work_dir)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    store = FeatureStore(work_dir / "cache")
    student = new_student(stem_name)
    if not (work_dir / "targets.npz").exists():
        group = max(store.groups.values(), key=len)
        rows = [c.rows(np.arange(c.size)) for c, _ in group[:40]]
        parts = [teacher_parts(r) for r in rows]
        Targets.fit(work_dir / "targets.npz", {k: torch.cat([p[k] for p in parts]) for k in parts[0]},
                    torch.cat([r["dense"] for r in rows]), 2 * student.net.radio.shape.width,
                    recipe.teachers, recipe.directions, recipe.power)
    targets = Targets(work_dir / "targets.npz")
    step, before, state, checkpoint = 0, 0.0, {}, work_dir / "student.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        student.load_state_dict(state["student"])
        step, before = state["step"], state["seconds"]
    elif init:
        missing, _ = student.net.load_state_dict(without_objects(read_hybrid(init)).state_dict(), strict=False)
        if any(not name.startswith("radio.token0_map.") for name in missing):   # a skip that is not there starts as zero
            raise ValueError(f"{init}: tensors missing {missing}")
        with torch.no_grad():
            group = max(store.groups.values(), key=len)
            align_targets(student, targets, work_dir / "targets.npz", [chunk for chunk, _ in group[:8]])
    else:
        with torch.no_grad():
            fit_normalisation(student, store.held_out)
            fit_global_map(student, targets, [c for c, _ in max(store.groups.values(), key=len)])
    student.to(device)
    optimizer = optimizer_of(student)
    if "optimizer" in state:
        optimizer.load_state_dict(state["optimizer"])
    rng, history, started, saved = np.random.default_rng(step), [], time.time(), time.time()
    def share_done(step, seconds):
        return max(step / steps, seconds / 60 / minutes if minutes else 0)

    progress = share_done(step, before)
    while progress < 1:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe.rate, step, progress, steps)
        batch = store.sample(recipe.batch, rng)
        gh, gw = batch["stem." + student.net.stem.spec["patch_maps"][0]].shape[1:3]
        window = (0, 0, gh, gw)
        if recipe.augment:
            batch = mirrored(batch) if rng.random() < 0.5 else batch
            window = sample_window(gh, gw, rng)
        count = sample_token_count(window[2] * window[3] // 4, rng)
        values = losses_of(student, targets, batch, device, window, count)
        loss = sum(WEIGHTS[k] * v for k, v in values.items() if k not in recipe.without)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        step += 1
        seconds = before + time.time() - started
        progress = share_done(step, seconds)
        history.append({k: v.item() for k, v in values.items()})
        if step % log_every == 0 or progress >= 1:
            held = validate(student, targets, store, device)
            mean = {k: sum(h[k] for h in history) / len(history) for k in held}
            line = {"step": step, "seconds": round(seconds), "views": store.count(),
                    "rate": learning_rate(recipe.rate, step, progress, steps), "train": mean, "held_out": held}
            line = json.dumps(line, default=float)
            with open(work_dir / "train.log", "a", encoding="utf-8") as log:
                log.write(line + "\n")
            print(line, flush=True)
            history = []
            store.refresh()
        if time.time() - saved > 120 or progress >= 1:
            save(checkpoint, student=student.state_dict(), optimizer=optimizer.state_dict(), step=step, seconds=seconds,
                 shape=asdict(student.net.radio.shape), stem=student.net.stem.spec)
            saved = time.time()
    return student
