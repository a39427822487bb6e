"""Teaches the later tokens of a trained model which objects are where: the stem gets a second branch, a detector teaches.

The branch is the backbone of the detector (detector.py), at the stem's own resolution; its maps join the patch features, with weights
of zero in the projection, so that the blocks see what they saw. A region head (radio1d.RegionHead) reads the patch features of a list of
regions (targets.REGIONS) and adds what it makes of them to the tokens after token 0. It learns the objects of the region: for
each class the best score of the detector over the region's cells, centred, at most of unit length. They go to the directions that
the present tokens use least. Only the head is trained; everything else stays as it is.
"""
import copy
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn

from . import cache
from .data import to_size
from .detector import SIZE, Detector, branch, load_stem
from .frozen import Frozen
from .hybrid_file import read_hybrid, without_objects
from .radio1d import Hybrid, RegionHead
from .settle import settle_decoder
from .stem import LITE_MEAN, LITE_STD, lite_stem
from .targets import REGIONS, unit
from .train import HELD_OUT, Chunk, has_bf16, stem_output

HIDDEN = 512        # values of the head
FAINT = 0.4         # objects less their mean that are shorter than this say little
SHARE = 0.8         # of the objects in the square of a token, in the mean
DROPOUT = 0.3
RATE, DECAY, BATCH = 1e-3, 0.1, 128
BOXES = [[round(12 * edge) for edge in region] for region in REGIONS]


def region_features(head, stem, branch_stem, kept):
    """Maps of stem and branch, NHWC by name -> [B, R, 2F + R]"""
    maps = [torch.from_numpy(kept[name]).float().permute(0, 3, 1, 2)
            for part in (stem, branch_stem) for name in part.spec["patch_maps"]]
    gh, gw = maps[0].shape[2:]
    return head.pool(torch.cat([stem.to_grid(m, gh, gw) for m in maps], 2).unflatten(1, (gh, gw)))


def region_head(stem, branch_stem, width):
    return RegionHead({"boxes": BOXES, "hidden": HIDDEN}, stem.patch_width + branch_stem.patch_width, width)


def branch_of(graph):
    layers, tensors, maps = branch(graph)
    return load_stem(layers, tensors, maps, maps[-1])


class ObjectExtractor:
    """What fill() stores of a view: the stem's output, the features of the regions, the detection map."""

    def __init__(self, stem_name, stem_size, graph):
        self.stem_size = stem_size
        self.stem, self.branch = lite_stem(stem_name)[0], branch_of(graph)
        self.head = region_head(self.stem, self.branch, 1)
        self.run_stem = cache.stem_outputs(stem_name)
        maps = self.branch.spec["patch_maps"]

        def outputs(x):
            kept = self.branch(x, keep=maps)[2]
            return {name: kept[name].permute(0, 2, 3, 1) for name in maps}
        self.run_branch = Frozen(outputs, maps, LITE_MEAN, LITE_STD)
        self.detector = Detector(graph)

    def run(self, images, shape):
        small = np.stack([to_size(image, *cache.sized(shape, self.stem_size)) for image in images])
        large = np.stack([to_size(image, SIZE, SIZE) for image in images])
        stem = self.run_stem(small)
        regions = region_features(self.head, self.stem, self.branch, stem | self.run_branch(small))
        out = {"stem." + name: value.astype(np.float16) for name, value in stem.items()}
        return out | {"regions": regions.half().numpy(), "detector": self.detector.maps(large)}


def object_extractor(options, _):
    """The ObjectExtractor of one worker of the cache."""
    return ObjectExtractor(options["stem_name"], options["stem_size"], options["graph"])


def in_regions(cells):
    """[B, n, n, classes] -> [B, regions, classes]: the greatest over the cells of each region."""
    side = cells.shape[1]
    edges = [[round(v * side) for v in region] for region in REGIONS]
    return torch.stack([cells[:, top:bottom, left:right].amax((1, 2)) for top, bottom, left, right in edges], 1)


def objects_of(detector_map):
    """The detection map -> [B, regions, classes]"""
    return in_regions(torch.as_tensor(detector_map).float()).clamp_min(0)


def wanted_of(objects, mean):
    """Objects less their mean, nearly at unit length where there is much, short where there is nothing."""
    centred = objects - mean
    return centred / (centred.square().sum(-1, keepdim=True) + FAINT ** 2).sqrt()


class Views:
    """Cached views: features of the regions [N, R, 2F + R] float16 and objects [N, R, classes]."""

    def __init__(self, chunks, left_out=frozenset()):
        features, objects = [], []
        for chunk in chunks:
            rows = [i for i, name in enumerate(chunk.arrays["names"]) if int(name) not in left_out]
            features.append(torch.from_numpy(chunk.arrays["regions"][rows]))
            objects.append(objects_of(chunk.arrays["detector"][rows]))
        self.features, self.objects = torch.cat(features), torch.cat(objects)


def cached_chunks(work_dir):
    """(held out, the others): the first two chunks of the first view, and all the rest"""
    folders = sorted(f for f in (Path(work_dir) / "cache").glob("*/[0-9]*") if "tmp" not in f.name)
    if len(folders) <= HELD_OUT:
        raise FileNotFoundError(f"{work_dir}: fewer than {HELD_OUT + 1} chunks are cached; run object-cache first")
    return [Chunk(f) for f in folders[:HELD_OUT]], [Chunk(f) for f in folders[HELD_OUT:]]


class Learner(nn.Module):
    """The head with centring and scale of its input; it gives objects less their mean."""

    def __init__(self, head, views):
        super().__init__()
        self.head, self.dropout = head, nn.Dropout(DROPOUT)
        self.objects_mean = views.objects.mean(0)
        sample = views.features[::max(1, len(views.features) // 2000)].float()
        self.mean, self.scale = sample.mean((0, 1)), 1 / (sample.std((0, 1)) + 1e-3)
        regions = len(head.boxes)
        self.mean[-regions:], self.scale[-regions:] = 0, 1   # which region it is

    def forward(self, features):
        hidden = nn.functional.gelu(self.head.fc1((features.float() - self.mean) * self.scale))
        return self.head.fc2(self.dropout(hidden)).float()

    def loss(self, features, objects):
        """Square error"""
        return (self(features) - wanted_of(objects, self.objects_mean)).square().sum(-1).mean()

    def folded(self, turn):
        """(fc1 weight, bias, fc2 weight, bias) on features as they are, the output times turn [D, classes]"""
        weight = self.head.fc1.weight * self.scale
        return (weight, self.head.fc1.bias - weight @ self.mean, turn @ self.head.fc2.weight, turn @ self.head.fc2.bias)


def fit(head, views, passes, seed=0):
    """-> the Learner"""
    rng = np.random.default_rng(seed)
    learner = Learner(head, views).train()
    optimizer = torch.optim.AdamW(learner.parameters(), weight_decay=DECAY)
    batches = math.ceil(len(views.features) / BATCH)
    for step in range(passes * batches):
        if step % batches == 0:
            parts = np.array_split(rng.permutation(len(views.features)), batches)
        rows = parts[step % batches]
        optimizer.param_groups[0]["lr"] = RATE * max(0.02, 1 - step / (passes * batches))
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16(torch.device("cpu"))):
            loss = learner.loss(views.features[rows], views.objects[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return learner.eval().requires_grad_(False)


def least_used(tokens, count):
    """The `count` orthonormal directions in which unit tokens [N, D] are weakest: [count, D]"""
    return torch.linalg.eigh((tokens.T @ tokens / len(tokens)).double())[1].float()[:, :count].T.contiguous()


def joined(original, branch_stem, head_weights):
    """The original with branch and head, as it is exported."""
    spec = copy.deepcopy(original.stem.spec)
    spec["layers"] += branch_stem.spec["layers"]
    spec["patch_maps"] += branch_stem.spec["patch_maps"]
    spec["regions"] = {"hidden": len(head_weights[0]), "boxes": BOXES}
    hybrid = Hybrid(spec, original.radio.shape)
    state = original.radio.state_dict()
    narrow = state["patch_generator.embedder.weight"]
    wide = torch.zeros_like(hybrid.radio.patch_generator.embedder.weight)
    wide[:, :narrow.shape[1]] = narrow
    hybrid.radio.load_state_dict(state | {"patch_generator.embedder.weight": wide})
    hybrid.patch_mean[:narrow.shape[1]] = original.patch_mean
    hybrid.patch_scale[:narrow.shape[1]] = original.patch_scale
    hybrid.global_mean.copy_(original.global_mean)
    hybrid.stem.load_state_dict(original.stem.state_dict() | branch_stem.state_dict())
    names = ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias")
    hybrid.regions.load_state_dict(dict(zip(names, head_weights)))
    return hybrid.eval().requires_grad_(False)


@torch.no_grad()
def tokens_of(hybrid, chunks):
    """Tokens [N, n, D] of cached views of one grid, and that grid."""
    tokens = []
    for chunk in chunks:
        for rows in np.array_split(np.arange(chunk.size), math.ceil(chunk.size / 64)):
            patches, pooled, gh, gw = stem_output(hybrid.stem, chunk.rows(rows))
            tokens.append(hybrid.encode_features(patches, pooled, gh, gw)[1])
    return torch.cat(tokens), gh, gw


def learn(work_dir, init, graph, passes, steps, share=SHARE, settle_chunks=8):
    """What `init` has learned of objects before is forgotten.

    -> (hybrid, held-out error, (first, last) error of the decoder, which settles in `steps`); 1 = giving nothing"""
    held_out, chunks = cached_chunks(work_dir)
    original, branch_stem = without_objects(read_hybrid(init)), branch_of(graph)
    held_names = {int(name) for chunk in held_out for name in chunk.arrays["names"]}
    views = Views(chunks, held_names)
    torch.manual_seed(0)
    learner = fit(region_head(original.stem, branch_stem, views.objects.shape[2]), views, passes)
    test = Views(held_out)
    loss = (learner.loss(test.features, test.objects) / wanted_of(test.objects, learner.objects_mean).square().sum(-1).mean()).item()
    shapes = [chunk.arrays["stem." + original.stem.spec["patch_maps"][0]].shape[1:3] for chunk in chunks]
    common = max(set(shapes), key=shapes.count)
    alike = [chunk for chunk, shape in zip(chunks, shapes) if shape == common][:settle_chunks]
    tokens, gh, gw = tokens_of(original, alike)
    later = tokens[:, 1:1 + len(REGIONS)]
    objects = learner(Views(alike).features)[:, :later.shape[1]]
    directions = least_used(unit(later).flatten(0, 1), objects.shape[2])
    gain = (share / (1 - share)) ** 0.5 * (later.norm(dim=-1).mean() / objects.norm(dim=-1).mean()).item()
    hybrid = joined(original, branch_stem, learner.folded(gain * directions.T))
    after = tokens.clone()
    after[:, 1:1 + later.shape[1]] += gain * objects @ directions
    return hybrid, loss, settle_decoder(hybrid.radio.decoder, tokens, after, gh, gw, steps)
