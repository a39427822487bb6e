"""What the tokens are trained towards: teacher features of the whole picture and of its regions, and the dense map.

All are linear maps of cached teacher output, fitted once on the cached views (WORK/targets.npz).
Token 0 and the summary: every teacher's pooled feature, square root, unit length, centred, unit length, times the root of the
teacher's weight; joined; principal directions, singular values raised to a power (below 1: weak directions count more). Tokens 1..: the same picture's regions, in REGIONS order, pooled from the dense
map, whitened moderately, centred per region.
"""
import os

import numpy as np
import torch
import torch.nn.functional as F

from .teachers import WEIGHTS

# Regions (top, bottom, left, right) of tokens 1, 2, ...: halves, quarters, centre, 3 x 2 rest; coarse before fine.
HALVES = [(0, 1, 0, 0.5), (0, 1, 0.5, 1), (0, 0.5, 0, 1), (0.5, 1, 0, 1)]
CENTRE = [(0.25, 0.75, 0.25, 0.75)]
QUARTERS = [(r / 2, (r + 1) / 2, c / 2, (c + 1) / 2) for r in range(2) for c in range(2)]
THIRDS = [(r / 2, (r + 1) / 2, c / 3, (c + 1) / 3) for r in range(2) for c in range(3)]
REGIONS = HALVES + CENTRE + QUARTERS + THIRDS


def unit(x):
    return F.normalize(x, dim=-1, eps=1e-9)


def teacher_parts(batch):
    """The pooled features of a cached batch by teacher part; `stem`: the student's own stem, which can teach as well."""
    return {"stem": batch["stem.pooled"]} | {k[8:]: v for k, v in batch.items() if k.startswith("teacher.")}


def joined(parts, means, weights):
    """{teacher part: [N, width]} -> [N, sum of widths of those in `weights`]"""
    return torch.cat([unit(unit(parts[k].float().clamp_min(0).sqrt()) - means[k]) * weights[k] ** 0.5
                      for k in sorted(weights)], 1)


def region_weights(gh, gw):
    """[regions, gh * gw]: share of each cell in each region, rows sum to 1."""
    def share(low, high, cells):
        edges = torch.arange(cells + 1) / cells
        return (torch.clamp(edges[1:], max=high) - torch.clamp(edges[:-1], min=low)).clamp_min(0)
    rows = [torch.outer(share(t, b, gh), share(l, r, gw)).flatten() for t, b, l, r in REGIONS]
    weights = torch.stack(rows)
    return weights / weights.sum(1, keepdim=True)


def procrustes(source, wanted):
    """The orthogonal matrix that turns the rows of `source` closest to those of `wanted`."""
    left, _, right = torch.linalg.svd(source.T @ wanted)
    return left @ right


class Targets:
    """Fitted maps; apply with whole(), regions() and dense()."""

    def __init__(self, path):
        arrays = {k: torch.from_numpy(v) for k, v in np.load(path).items()}
        self.means = {k[5:]: v for k, v in arrays.items() if k.startswith("mean.")}
        self.weights = {k: float(arrays["weight." + k]) for k in self.means}
        self.centre, self.basis = arrays["centre"], arrays["basis"]
        self.region_mean, self.cell_scale, self.region_scale, self.region_basis = (
            arrays[k] for k in ("region_mean", "cell_scale", "region_scale", "region_basis"))
        self.arrays = arrays

    @staticmethod
    def fit(path, parts, dense, width, weights=None, directions=None, power=1.0):
        """parts {teacher part: [N, w]}, dense [N, gh, gw, w]; `width` = token width D.

        `weights` of the parts, default WEIGHTS; the leading `directions` (default: width) are kept, the others are zero.
        """
        weights = weights or {k: WEIGHTS[k] for k in parts if k in WEIGHTS}
        means = {k: unit(parts[k].float().clamp_min(0).sqrt()).mean(0) for k in weights}
        x = joined(parts, means, weights)
        centre = x.mean(0)
        torch.manual_seed(0)
        _, strength, basis = torch.pca_lowrank(x - centre, q=directions or width, center=False, niter=3)
        basis = F.pad(basis * (strength / strength[0]) ** (power - 1), (0, width - basis.shape[1]))
        dense = dense.float()
        region_scale = dense.flatten(0, 2).std(0).clamp_min(1e-6) ** -0.5
        regions = torch.einsum("rk,nkd->nrd", region_weights(*dense.shape[1:3]), dense.flatten(1, 2)) * region_scale
        temporary = str(path) + f".{os.getpid()}.npz"
        np.savez(temporary, centre=centre.numpy(), basis=basis.contiguous().numpy(),
                 region_mean=regions.mean(0).numpy(), region_scale=region_scale.numpy(),
                 region_basis=np.eye(dense.shape[-1], dtype=np.float32),
                 cell_scale=(1 / dense.flatten(0, 2).std(0).clamp_min(1e-6)).numpy(),
                 **{"mean." + k: v.numpy() for k, v in means.items()},
                 **{"weight." + k: np.float32(v) for k, v in weights.items()})
        os.replace(temporary, path)

    def whole(self, parts):
        """-> unit vectors [B, D]"""
        return unit((joined(parts, self.means, self.weights) - self.centre) @ self.basis)

    def regions(self, dense):
        """dense [B, gh, gw, w] -> unit vectors [B, regions, w]"""
        weights = region_weights(*dense.shape[1:3])
        pooled = torch.einsum("rk,nkd->nrd", weights, dense.float().flatten(1, 2)) * self.region_scale
        return unit((pooled - self.region_mean) @ self.region_basis)

    def rotate(self, path, whole, regions):
        """Turns the target axes by orthogonal matrices and writes the file: similarities stay as they are."""
        self.basis, self.region_basis = self.basis @ whole, self.region_basis @ regions
        self.arrays.update(basis=self.basis, region_basis=self.region_basis)
        np.savez(path, **{k: v.numpy() for k, v in self.arrays.items()})

    @staticmethod
    def at_grid(dense, gh, gw):
        """[B, h, w, width] -> float32 [B, gh, gw, width], bilinear"""
        dense = F.interpolate(dense.float().permute(0, 3, 1, 2), size=(gh, gw), mode="bilinear")
        return dense.permute(0, 2, 3, 1)

    def cells(self, dense, width):
        """dense [B, gh, gw, w] -> the leading `width` components at unit variance, [B, gh * gw, width]"""
        return (dense[..., :width] * self.cell_scale[:width]).clamp(-5, 5).flatten(1, 2)
