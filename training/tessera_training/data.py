"""Reads the training and evaluation photographs of a --data folder (tars of pictures with a CSV beside them).

Expected: train-*.tar with train.csv (columns name, source, label), and for each evaluation set eval-NAME.tar with
eval-NAME.csv (name, label) and, for composition sets, eval-NAME-boxes.csv (name, category, x, y, w, h in 0..1).
"""
import csv
import io
import tarfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

CLASS_SETS = ("imagenette", "caltech", "corel", "mit8", "ukbench")
COMPOSITION_SETS = ("coco", "voc")


def open_picture(data):
    """Bytes of a picture file -> PIL image, RGB."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def centre_square(image):
    """The largest centred square of a PIL image."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def to_size(image, width, height):
    """Antialiased bicubic resize, the filter the indexer uses; -> uint8 [height, width, 3]."""
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)


def short_side_size(image, short, multiple=32):
    """(width, height) with the shorter side `short` and the longer one rounded to `multiple`, as the indexer does."""
    scale = short / min(image.size)
    return tuple(max(multiple, multiple * round(side * scale / multiple)) for side in image.size)


def tar_members(path):
    """Yields (name, bytes) of the files of a tar in order."""
    with tarfile.open(path) as tar:
        for member in tar:
            if member.isfile():
                yield member.name, tar.extractfile(member).read()


def read_csv(path):
    """Rows of a CSV file as dicts."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_training(data_dir):
    """(names, pictures as encoded bytes) of all training tars."""
    names, pictures = [], []
    for tar in sorted(Path(data_dir).glob("train-*.tar")):
        for name, data in tar_members(tar):
            names.append(name)
            pictures.append(data)
    if not names:
        raise FileNotFoundError(f"{data_dir}: no train-*.tar with pictures in it")
    return names, pictures


def read_training_names(data_dir):
    """The names of read_training(), without reading the pictures."""
    names = []
    for tar in sorted(Path(data_dir).glob("train-*.tar")):
        with tarfile.open(tar) as archive:
            names += [member.name for member in archive if member.isfile()]
    return names


def map_pictures(function, pictures, workers=2):
    """function(PIL image) of every encoded picture, in order."""
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda data: function(open_picture(data)), pictures)


def read_evaluation(data_dir, name):
    """(names, labels, PIL images) of an evaluation set."""
    labels = {row["name"]: row["label"] for row in read_csv(Path(data_dir) / f"eval-{name}.csv")}
    names, images = [], []
    for member, data in tar_members(Path(data_dir) / f"eval-{name}.tar"):
        if member in labels:
            names.append(member)
            images.append(open_picture(data))
    return names, [labels[n] for n in names], images


def read_boxes(data_dir, name):
    """{picture: list of (category, x, y, w, h)}, at most 20 boxes a picture."""
    boxes = defaultdict(list)
    for row in read_csv(Path(data_dir) / f"eval-{name}-boxes.csv"):
        if len(boxes[row["name"]]) < 20:
            boxes[row["name"]].append((row["category"], *(float(row[key]) for key in "xywh")))
    return boxes
