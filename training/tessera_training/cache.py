"""Precomputes what the frozen networks say about every training view, in chunks, resumable and in several processes.

A view is one crop of one picture at one size. View 0 is the centre square. Higher views are random crops, mirrored half of
the time, in one of three shapes (square, landscape, portrait) chosen by the picture's own shape. The stem and every
teacher see the same crop. One folder per chunk, WORK/cache/VIEW/CHUNK, holds one .npy file per quantity, first axis
the view: names (row numbers of the picture list), stem.NAME maps, stem.pooled, teacher parts, dense (PCA of Lite2's map).
"""
import io
import os
import random
import shutil
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .data import open_picture, read_training, to_size
from .frozen import Frozen
from .stem import LITE_MEAN, LITE_STD, lite_stem
from .teachers import available

CHUNK = 256
BATCH = 32
DENSE_WIDTH = 128
SHAPES = {"square": (1, 1), "landscape": (4, 3), "portrait": (3, 4)}


def shape_of(image_size):
    """Which of the three shapes a picture of (width, height) is used in."""
    ratio = image_size[0] / image_size[1]
    return "landscape" if ratio > 1.15 else "portrait" if ratio < 0.87 else "square"


def sized(shape, short):
    """(width, height) of a shape whose shorter side is `short`; the longer one is a multiple of 32."""
    across, down = SHAPES[shape]
    unit = short / min(across, down)
    return tuple(32 * round(side * unit / 32) for side in (across, down))


def crop_box(image_size, shape, view, rng):
    """(left, top, right, bottom) of a view: the largest crop of that shape, from view 1 on 55 to 100 % of its area."""
    width, height = image_size
    across, down = SHAPES[shape]
    unit = min(width / across, height / down)
    if view > 0:
        unit *= rng.uniform(0.55, 1.0) ** 0.5
    w, h = unit * across, unit * down
    left, top = (width - w) / 2, (height - h) / 2
    if view > 0:
        left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
    return left, top, left + w, top + h


class DenseBasis:
    """Mean and principal directions of the square root of Lite2's last map, over cells."""

    def __init__(self, path):
        arrays = np.load(path)
        self.mean, self.basis = (torch.from_numpy(arrays[k]) for k in ("mean", "basis"))

    @staticmethod
    def fit(path, cells):
        """cells [N, 1280] of some pictures; writes the file."""
        cells = cells.clamp_min(0).sqrt()
        mean = cells.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov((cells - mean).T).double())
        order = torch.argsort(values, descending=True)[:DENSE_WIDTH]
        scale = values[order].sum().sqrt()
        temporary = Path(path).with_suffix(f".{os.getpid()}.npz")
        np.savez(temporary, mean=mean.numpy(), basis=(vectors[:, order] / scale).float().numpy(),
                 kept=(values[order].sum() / values.sum()).item())
        os.replace(temporary, path)

    def project(self, maps):
        """[B, h, w, 1280] -> float16 [B, h, w, DENSE_WIDTH]"""
        return ((maps.clamp_min(0).sqrt() - self.mean) @ self.basis).half().numpy()


def plan(sizes, view, seed):
    """Chunks of a view: list of (shape, picture numbers), each chunk of one shape, in a fixed random order."""
    order = np.random.default_rng(seed).permutation(len(sizes))
    groups = {shape: [] for shape in SHAPES}
    for i in order:
        groups["square" if view == 0 else shape_of(sizes[i])].append(int(i))
    chunks = [(shape, ids[at:at + CHUNK]) for shape, ids in groups.items() for at in range(0, len(ids), CHUNK)]
    random.Random(seed).shuffle(chunks)
    return chunks


def stem_outputs(name):
    """The stem, run on uint8 pictures: pooled head and patch maps."""
    stem = lite_stem(name)[0].to(memory_format=torch.channels_last)
    maps = stem.spec["patch_maps"]

    def outputs(x):
        _, pooled, kept = stem(x, keep=maps)
        return {"pooled": pooled, **{name: kept[name].permute(0, 2, 3, 1) for name in maps}}
    return Frozen(outputs, ("pooled", *maps), LITE_MEAN, LITE_STD)


class Extractor:
    """The frozen networks of one worker process."""

    def __init__(self, stem_name, stem_size, teacher_dir, teacher_size, basis_path):
        self.stem = stem_outputs(stem_name)
        self.stem_size, self.teacher_size = stem_size, teacher_size
        self.teachers = available(teacher_dir)
        self.basis_path = Path(basis_path)

    def fit_basis(self, pictures):
        """The dense basis from the first pictures, once; a second worker finds the file."""
        if not self.basis_path.exists():
            views = np.stack([to_size(open_picture(p).resize((self.teacher_size,) * 2), *(self.teacher_size,) * 2)
                              for p in pictures])
            maps = [self.teachers[0].features(views[at:at + BATCH])["lite2_map"].flatten(0, 2)
                    for at in range(0, len(views), BATCH)]
            DenseBasis.fit(self.basis_path, torch.cat(maps))
        self.basis = DenseBasis(self.basis_path)

    def run(self, images, shape):
        """PIL images of one shape -> {quantity: array}"""
        small = np.stack([to_size(image, *sized(shape, self.stem_size)) for image in images])
        large = np.stack([to_size(image, *sized(shape, self.teacher_size)) for image in images])
        out = {"stem." + name: value.astype(np.float16) for name, value in self.stem(small).items()}
        for teacher in self.teachers:
            for part, value in teacher.features(large).items():
                if part == "lite2_map":
                    out["dense"] = self.basis.project(value)
                else:
                    out["teacher." + part] = value.half().numpy()
        return out


def fill(cache_dir, pictures, sizes, views, extractor, worker, workers, seed=1):
    """Computes the chunks of this worker that are not there yet, views in turn; a killed worker loses at most one chunk."""
    cache_dir = Path(cache_dir)
    plans = {view: plan(sizes, view, seed + view) for view in views}
    for number in range(worker, max(map(len, plans.values())), workers):
        for view in views:
            target = cache_dir / str(view) / f"{number:05d}"
            if number >= len(plans[view]) or target.exists():
                continue
            shape, ids = plans[view][number]
            start = time.process_time()
            rng = random.Random(f"{seed} {view} {number}")
            images = []
            for i in ids:
                image = open_picture(pictures[i])
                image = image.crop(tuple(round(v) for v in crop_box(image.size, shape, view, rng)))
                images.append(image.transpose(0) if view > 0 and rng.random() < 0.5 else image)
            parts = [extractor.run(images[at:at + BATCH], shape) for at in range(0, len(images), BATCH)]
            temporary = target.with_name(f"{target.name}.tmp{worker}")
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            np.save(temporary / "names.npy", np.array(ids))
            for key in parts[0]:
                np.save(temporary / f"{key}.npy", np.concatenate([p[key] for p in parts]))
            temporary.rename(target)
            cost = 1e3 * (time.process_time() - start) / len(ids)
            print(f"view {view} chunk {number} {shape}: {len(ids)} pictures, {cost:.1f} ms of CPU each", flush=True)


def teacher_extractor(options, pictures):
    """The Extractor of one worker."""
    extractor = Extractor(options["stem_name"], options["stem_size"], options["teacher_dir"], options["teacher_size"],
                          Path(options["work_dir"]) / "dense_basis.npz")
    extractor.fit_basis([pictures[i] for i in np.linspace(0, len(pictures) - 1, 512).astype(int)])
    return extractor


def fill_worker(make_extractor, options, worker):
    """One process of the cache: single-threaded, so that two of them use two cores without waiting for each other."""
    torch.set_num_threads(1)
    _, pictures = read_training(options["data_dir"])
    sizes = [Image.open(io.BytesIO(picture)).size for picture in pictures]
    work_dir = Path(options["work_dir"])
    extractor = make_extractor(options, pictures)
    fill(work_dir / "cache", pictures, sizes, options["views"], extractor, worker, options["workers"])
