"""Short trainings from scratch with the same budget, seed and pictures; each differs from `everything` as its name says.

Judged by the held-out losses, and by P@5 of token 0 and of 16 aligned tokens on labelled training pictures (their labels take no
part in training): within each source, classes of at least CLASS pictures, mean over the sources with at least SOURCE of them.
"""
import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from .data import read_training_names
from .evaluate import similarities
from .metrics import precision
from .train import HELD_OUT, Chunk, Recipe, student_inputs, train

CLASS, SOURCE = 6, 100

VARIANTS = {
    "everything": Recipe(),
    "without relations": Recipe(without=("relations",)),
    "without the summary": Recipe(without=("summary",)),
    "without regions": Recipe(without=("regions",)),
    "without the dense map": Recipe(without=("dense",)),
    "Lite2 alone teaches": Recipe(teachers={"lite2": 1.0}),
    "the stem teaches too, 192 directions, power 0.75": Recipe(
        teachers={"stem": 1.0, "lite2": 1.0, "mnv2": 0.5}, directions=192, power=0.75),
    "neither windows nor mirroring": Recipe(augment=False),
}


def labelled_rows(data_dir, chunks):
    """[(chunk, rows, sources, labels)] of labelled pictures in `chunks`."""
    with open(Path(data_dir) / "train.csv", encoding="utf-8", newline="") as file:
        known = {row["name"]: (row["source"], row["label"]) for row in csv.DictReader(file)}
    names = read_training_names(data_dir)
    pairs = [[known[names[int(i)]] for i in chunk.arrays["names"]] for chunk in chunks]
    sizes = Counter(pair for part in pairs for pair in part if pair[1])
    many = Counter(source for part in pairs for source, label in part if sizes[source, label] >= CLASS)
    found = []
    for chunk, part in zip(chunks, pairs):
        rows = [i for i, (source, label) in enumerate(part) if sizes[source, label] >= CLASS and many[source] >= SOURCE]
        found.append((chunk, np.array(rows, int), [part[i][0] for i in rows], [part[i][1] for i in rows]))
    return found


@torch.no_grad()
def mean_precision(student, labelled):
    """{similarity: mean P@5 over the sources}"""
    tokens, sources, labels = [], [], []
    student.eval()
    for chunk, rows, some_sources, some_labels in labelled:
        for part in np.array_split(rows, max(1, len(rows) // 64)):
            patches, pooled = student_inputs(student, chunk.rows(part))
            gh, gw = patches.shape[1:3]
            tokens.append(student.net.encode_features(patches.flatten(1, 2), pooled, gh, gw)[1][:, :16].float().numpy())
        sources += some_sources
        labels += some_labels
    tokens, sources, labels = np.concatenate(tokens), np.array(sources), np.array(labels)
    figures = {}
    for source in sorted(set(sources)):
        there = sources == source
        for kind, similarity in similarities(tokens[there]).items():
            figures.setdefault(kind, []).append(precision(similarity, labels[there])[1])
    return {kind: float(np.mean(values)) for kind, values in figures.items()}


def ablate(work_dir, data_dir, stem_name, steps, batch, chunks, only=None):
    """Trains each variant in WORK/ablate/NAME and prints a line of figures for each, also into WORK/ablate/results.jsonl.

    What stands there with the same budget is not trained again; one that was interrupted goes on, with other pictures.
    """
    work_dir = Path(work_dir)
    results = work_dir / "ablate" / "results.jsonl"
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    done = {(line["variant"], line["steps"], line["batch"]) for line in map(json.loads, lines)}
    folders = sorted((work_dir / "cache" / "0").glob("[0-9]*"))[HELD_OUT:HELD_OUT + chunks]
    labelled = labelled_rows(data_dir, [Chunk(folder) for folder in folders])
    print(f"{sum(len(rows) for _, rows, _, _ in labelled)} labelled pictures", flush=True)
    for name, recipe in VARIANTS.items():
        if (only and name not in only) or (name, steps, batch) in done:
            continue
        folder = work_dir / "ablate" / name.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "cache").exists():
            (folder / "cache").symlink_to((work_dir / "cache").resolve())
        recipe.batch = batch
        student = train(folder, stem_name, steps, recipe=recipe, log_every=steps)
        held = json.loads((folder / "train.log").read_text(encoding="utf-8").splitlines()[-1])["held_out"]
        line = {"variant": name, "steps": steps, "batch": batch, "held_out": held, "P@5": mean_precision(student, labelled)}
        with open(results, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(f"{name}: token 0 {line['P@5']['token0']:.1f}, aligned {line['P@5']['aligned16']:.1f}, "
              + ", ".join(f"{k} {v:.3f}" for k, v in held.items()), flush=True)
