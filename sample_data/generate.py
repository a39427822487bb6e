#!/usr/bin/env python3
"""Makes scenes/, variants/, ground_truth.json and boxes.csv from photos/; the result is the same every time.

usage: generate.py [--check]      needs numpy and Pillow

With --check nothing is written: the pictures are made again and compared with those that are there, pixel by pixel.
"""
import argparse
import io
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from objects import OBJECTS, SETTINGS, place
from tracer import Camera, render, visible

HERE = Path(__file__).resolve().parent
SCENE_SIZE = (400, 304)
NAMES = list(OBJECTS)
SETTING_NAMES = list(SETTINGS)

# Four of the sixteen objects each; no two sets share more than two objects.
SETS = [
    ("marble_ball", "brick_block", "barrel", "traffic_cone"),
    ("fir_tree", "toadstool", "house", "snowman"),
    ("planet", "pillar", "melon", "gift"),
    ("crystal", "beach_ball", "boulder", "log"),
    ("traffic_cone", "house", "beach_ball", "barrel"),
    ("melon", "toadstool", "log", "fir_tree"),
    ("snowman", "gift", "marble_ball", "crystal"),
    ("pillar", "boulder", "planet", "brick_block"),
]

# Where the four objects of a set stand: (x, z, heading, size), and the camera.
LAYOUTS = {
    "row": ([(-1.95, 0, 10, 1), (-0.65, 0.1, -20, 1), (0.65, 0, 30, 1), (1.95, 0.1, -10, 1)], Camera((0, 1.6, -6.4), (0, 0.75, 0))),
    "diamond": ([(0, 1.9, 15, 1), (-1.5, 0.3, 30, 1), (1.5, 0.3, -35, 1), (0, -1.3, 20, 1)], Camera((0, 2.5, -6.6), (0, 0.45, 0.2))),
    "diagonal": ([(-2.1, 2.2, 0, 1), (-0.8, 0.9, 25, 1), (0.4, -0.5, -15, 1), (1.35, -1.9, 40, 1)], Camera((-0.3, 1.8, -6.6), (0, 0.7, 0))),
    "left_group": ([(-1.9, 0.9, 0, 1), (-0.9, 1.0, 50, 1), (-1.6, -0.5, -25, 1), (2.0, 0.2, 15, 1.15)], Camera((0, 1.7, -6.3), (0, 0.75, 0))),
    "near_far": ([(1.0, -2.2, 20, 1.1), (-2.6, 3.2, 0, 1), (-1.0, 3.6, 30, 1), (-2.4, 0.2, -30, 1)], Camera((0, 1.5, -6.2), (0, 0.8, 0.4))),
    "two_pairs": ([(-2.2, 0.2, 20, 1), (-1.15, 0.5, -15, 1), (1.15, 0.5, 35, 1), (2.2, 0.2, 5, 1)], Camera((0, 1.3, -6.4), (0, 0.9, 0))),
    "arc": ([(-2.0, -0.6, 20, 0.95), (-0.8, 1.2, -15, 1), (0.9, 1.2, 35, 1), (2.1, -0.6, 5, 0.95)], Camera((0, 3.4, -5.6), (0, 0.2, 0.3))),
    "tower": ([(0, 0, 20, 1.55), (-2.2, 1.4, 10, 0.8), (2.2, 1.4, -25, 0.8), (1.5, -1.5, 30, 0.7)], Camera((0, 1.5, -6.2), (0, 1.0, 0.2))),
}
LAYOUT_NAMES = list(LAYOUTS)


def scene_list():
    """name -> (setting, layout or None, objects, placements, camera)."""
    scenes = {}
    for s, objects in enumerate(SETS):
        # Three layouts in three settings, and a fourth layout in the first one's setting.
        for turn in range(4):
            layout = LAYOUT_NAMES[(s + turn) % 8]
            setting = SETTING_NAMES[(3 * s + 2 * (turn % 3) + s // 4) % 6]
            placements, camera = LAYOUTS[layout]
            order = objects[turn:] + objects[:turn]
            scenes[f"set{s}_{layout}"] = (setting, layout, order, placements, camera)
    for index, name in enumerate(NAMES):
        setting = SETTING_NAMES[(index * 5 + 1) % 6]
        x = (-0.9, 0.0, 0.8)[index % 3]
        camera = Camera((0.4 - 0.3 * (index % 4), 1.2 + 0.25 * (index % 3), -4.6), (0.2, 0.7, 0))
        scenes[f"only_{name}"] = (setting, None, (name,), [(x, 0.1, 25 * index % 70, 1.25)], camera)
    return scenes


def make_scene(job):
    index, (setting, _, objects, placements, camera) = job
    solids = [solid for name, where in zip(objects, placements) for solid in place(name, *where)]
    return render(solids, SETTINGS[setting], camera, SCENE_SIZE, np.random.default_rng(1000 + index))


def scene_boxes(scene):
    """(object, left, top, width, height) of the visible part of each object, in fractions of the picture."""
    _, _, objects, placements, camera = scene
    parts = [place(name, *where) for name, where in zip(objects, placements)]
    shown = visible([solid for part in parts for solid in part], camera, SCENE_SIZE)
    boxes, first = [], 0
    for name, part in zip(objects, parts):
        rows, columns = np.nonzero((shown >= first) & (shown < first + len(part)))
        first += len(part)
        if len(rows):
            left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            boxes.append((name, left / SCENE_SIZE[0], top / SCENE_SIZE[1], (right - left) / SCENE_SIZE[0], (bottom - top) / SCENE_SIZE[1]))
    return boxes


# ---- variants --------------------------------------------------------------------------------------------------------

def crop(image, rng):
    w, h = image.size
    keep = rng.uniform(0.6, 0.7)
    left, top = rng.uniform(0, 1 - keep, 2)
    return image.crop((round(left * w), round(top * h), round((left + keep) * w), round((top + keep) * h)))


def recolour(image, rng):
    pixels = np.asarray(image, float) / 255
    gain = rng.permutation([0.78, 1.0, 1.18])
    tinted = Image.fromarray(np.round(np.clip(pixels**rng.uniform(0.75, 1.3) * gain, 0, 1) * 255).astype(np.uint8))
    return ImageEnhance.Color(tinted).enhance(rng.uniform(0.7, 1.4))


def rotate(image, rng):
    """Turned by some degrees and cut to the largest upright rectangle of the same shape inside."""
    degrees = rng.uniform(8, 14) * rng.choice([-1, 1])
    w, h = image.size
    c, s = np.cos(np.radians(abs(degrees))), np.sin(np.radians(abs(degrees)))
    keep = min(w / (w * c + h * s), h / (w * s + h * c))
    turned = image.rotate(degrees, Image.Resampling.BICUBIC)
    dw, dh = w * (1 - keep) / 2, h * (1 - keep) / 2
    return turned.crop((round(dw), round(dh), round(w - dw), round(h - dh)))


KINDS = {  # relation: (make, file extension, options of save)
    "crop": (crop, "jpg", {"quality": 82}),
    "recompressed": (lambda image, rng: image.resize([side * 5 // 8 for side in image.size], Image.Resampling.BICUBIC), "jpg", {"quality": 28}),
    "recoloured": (recolour, "webp", {"quality": 82, "method": 6}),
    "mirrored": (lambda image, rng: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "webp", {"quality": 82, "method": 6}),
    "rotated": (rotate, "jpg", {"quality": 82}),
    "grey": (lambda image, rng: image.convert("L").resize([side // 2 for side in image.size], Image.Resampling.BICUBIC), "png", {"optimize": True}),
}
VARIED_PHOTOS = ["astronaut", "autumn_hills", "brook", "cat", "city_back", "coffee", "courtyard_back", "dahlia", "dandelions",
                 "mountains", "paint_brushes", "pagoda", "raccoon", "red_bowl", "rocket", "two_dogs"]
VARIED_SCENES = ["set0_row", "set1_diagonal", "set3_near_far", "set6_tower"]


def variant_list():
    """(source path, relation, target path)."""
    variants = []
    kinds = list(KINDS)
    sources = [f"photos/{name}.jpg" for name in VARIED_PHOTOS] + [scene_path(name) for name in VARIED_SCENES]
    for index, source in enumerate(sources):
        for kind in (kinds[index % 2 : index % 2 + 1] + [kinds[2 + index % 4], kinds[2 + (index + 1) % 4]]):
            variants.append((source, kind, f"variants/{Path(source).stem}_{kind}.{KINDS[kind][1]}"))
    return variants


# ---- ground truth ----------------------------------------------------------------------------------------------------

# Overlapping views of one place.
PLACES = [("city_street", "city_street_left"), ("courtyard", "courtyard_left"), ("forest", "forest_left"), ("room", "room_left"),
          ("night", "night_right"), ("sunrise", "sunrise_left"), ("evening", "evening_right")]


def scene_path(name):
    return f"scenes/{name}.{'webp' if name.startswith('set') else 'jpg'}"


def ground_truth(scenes, variants):
    relevant = {}

    def relate(a, b, relation):
        relevant.setdefault(a, {})[b] = relation
        relevant.setdefault(b, {})[a] = relation

    for i, (a_source, _, a) in enumerate(variants):
        for b_source, _, b in variants[:i]:
            if a_source == b_source:
                relate(a, b, "same_source")
    for source, kind, target in variants:
        relate(source, target, kind)
    for a, b in PLACES:
        relate(f"photos/{a}.jpg", f"photos/{b}.jpg", "same_place")
    names = list(scenes)
    for i, a in enumerate(names):
        for b in names[:i]:
            (_, layout_a, objects_a, *_), (_, layout_b, objects_b, *_) = scenes[a], scenes[b]
            if sorted(objects_a) == sorted(objects_b):
                relate(scene_path(a), scene_path(b), "same_objects")
            elif layout_a and layout_a == layout_b:
                relate(scene_path(a), scene_path(b), "same_layout")
            elif (layout_a is None) != (layout_b is None) and set(objects_a) & set(objects_b):
                relate(scene_path(a), scene_path(b), "shares_object")
    return {
        "version": 1,
        "description": "Paths are relative to this file. `relation` says how query and picture relate; see README.md.",
        "queries": [
            {"query": query, "relevant": [{"path": path, "relation": relation} for path, relation in sorted(found.items())]}
            for query, found in sorted(relevant.items())
        ],
    }


# ---- output ----------------------------------------------------------------------------------------------------------

class Output:
    def __init__(self, check):
        self.check, self.different = check, []

    def image(self, path, image, **options):
        target = HERE / path
        buffer = io.BytesIO()
        image.save(buffer, {"jpg": "JPEG", "webp": "WEBP", "png": "PNG"}[target.suffix[1:]], **options)
        if self.check:
            made = np.asarray(Image.open(io.BytesIO(buffer.getvalue())))
            if not target.exists() or not np.array_equal(made, np.asarray(Image.open(target))):
                self.different.append(path)
        else:
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(buffer.getvalue())

    def text(self, path, text):
        target = HERE / path
        if self.check:
            if not target.exists() or target.read_text() != text:
                self.different.append(path)
        else:
            target.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    output = Output(parser.parse_args().check)

    scenes, variants = scene_list(), variant_list()
    images = {}
    with ProcessPoolExecutor() as pool:
        for name, pixels in zip(scenes, pool.map(make_scene, enumerate(scenes.values()))):
            images[scene_path(name)] = Image.fromarray(pixels)
            options = {"quality": 84, "method": 6} if name.startswith("set") else {"quality": 86, "optimize": True}
            output.image(scene_path(name), images[scene_path(name)], **options)
    for index, (source, kind, target) in enumerate(variants):
        image = images[source] if source in images else Image.open(HERE / source).convert("RGB")
        make, _, options = KINDS[kind]
        output.image(target, make(image, np.random.default_rng(5000 + index)), **options)
    output.text("ground_truth.json", json.dumps(ground_truth(scenes, variants), indent=1) + "\n")
    rows = [f"{scene_path(name)},{kind}," + ",".join(f"{value:.5f}" for value in box)
            for name, scene in sorted(scenes.items()) for kind, *box in scene_boxes(scene)]
    output.text("boxes.csv", "\n".join(["name,category,x,y,w,h", *rows]) + "\n")

    for path in output.different:
        print(f"differs: {path}", file=sys.stderr)
    return 1 if output.different else 0


if __name__ == "__main__":
    sys.exit(main())
