"""Retrieval measures: P@1 and P@5 over labels, Comp@K over boxes, and the token similarities they are taken of."""
import numpy as np
from scipy.optimize import linear_sum_assignment


def unit(x):
    """L2-normalised along the last axis."""
    return x / np.linalg.norm(x, axis=-1, keepdims=True).clip(1e-9)


def aligned_tokens(tokens, count):
    """One vector per picture whose dot products are the weighted mean cosine of equal-rank tokens.

    tokens [N, n, D]; weights 1 - i / count as in the indexer's `aligned` rerank.
    """
    count = min(count, tokens.shape[1])
    weights = 1 - np.arange(count) / count
    return unit((unit(tokens[:, :count]) * np.sqrt(weights)[:, None]).reshape(len(tokens), -1))


def precision(similarity, labels, k=5):
    """(P@1, P@k) in percent, leave one out."""
    similarity = similarity.copy()
    np.fill_diagonal(similarity, -np.inf)
    labels = np.asarray(labels)
    order = np.argsort(-similarity, 1, kind="stable")[:, :k]
    hits = labels[order] == labels[:, None]
    return 100 * hits[:, 0].mean(), 100 * hits.mean()


def generalised_iou(a, b):
    """gIoU of every pair of boxes (x, y, w, h): [len(a), len(b)]."""
    ax, ay, aw, ah = (v[:, None] for v in a.T)
    bx, by, bw, bh = b.T
    width = np.clip(np.minimum(ax + aw, bx + bw) - np.maximum(ax, bx), 0, None)
    height = np.clip(np.minimum(ay + ah, by + bh) - np.maximum(ay, by), 0, None)
    inter = width * height
    union = aw * ah + bw * bh - inter
    hull = ((np.maximum(ax + aw, bx + bw) - np.minimum(ax, bx)) * (np.maximum(ay + ah, by + bh) - np.minimum(ay, by)))
    return inter / np.maximum(union, 1e-9) - (hull - union) / np.maximum(hull, 1e-9)


def composition_table(names, boxes, queries):
    """Comp(q, r) of the first `queries` pictures against all: matched gIoU of equal categories over the best one."""
    categories = {c: i for i, c in enumerate(sorted({b[0] for n in names for b in boxes[n]}))}
    kinds = [np.array([categories[b[0]] for b in boxes[n]]) for n in names]
    places = [np.array([b[1:] for b in boxes[n]]).reshape(-1, 4) for n in names]
    raw = np.zeros((queries, len(names)))
    for q in range(queries):
        for r in range(len(names)):
            same = kinds[q][:, None] == kinds[r]
            if r == q or not same.any():
                continue
            score = same * (generalised_iou(places[q], places[r]) + 1) / 2
            raw[q, r] = score[linear_sum_assignment(-score)].sum()
    return raw / np.maximum(raw.max(1, keepdims=True), 1e-9)


def comp_at(table, similarity, k):
    """Comp@K in percent: the best Comp among the K most similar pictures, mean over the queries."""
    similarity = similarity[:len(table)].copy()
    similarity[np.arange(len(table)), np.arange(len(table))] = -np.inf
    order = np.argsort(-similarity, 1, kind="stable")[:, :k]
    return 100 * np.take_along_axis(table, order, 1).max(1).mean()
