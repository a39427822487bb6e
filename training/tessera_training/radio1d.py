"""RADIO1D encoder and decoder with an optional convolutional stem; parameter names are those of the released checkpoint.

Notation: B batch, P prefix tokens, C width before the 2x2 merge, D = 2C after it, gh x gw patch grid.
"""
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

from .stem import Stem

GLOBAL_SCALE = 20.0


@dataclass
class Shape:
    """Sizes of a model; `merge` is the first block after the merge, `split` the first decoder block after the split."""
    width: int = 192
    heads: int = 6
    depth: int = 7
    merge: int = 4
    prefix: int = 4
    class_tokens: int = 2
    grid: int = 12
    decoder_depth: int = 2
    split: int = 1
    filler_grid: int = 6
    token0_skip: bool = True   # the global feature is also added to token 0 (only with a stem)


class LayerNorm(nn.LayerNorm):
    """Computes in float32 also under autocast."""

    def forward(self, x):
        return F.layer_norm(x.float(), self.normalized_shape, self.weight.float(), self.bias.float(), self.eps)


class Attention(nn.Module):
    def __init__(self, width, heads, bias):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        batch, count, width = x.shape
        q, k, v = self.qkv(x).view(batch, count, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        # Written out: on a CPU the backward pass of the fused attention takes twice as long.
        x = torch.softmax((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2), -1) @ v
        return self.proj(x.transpose(1, 2).reshape(batch, count, width))


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width, heads, qkv_bias=True):
        super().__init__()
        self.norm1 = LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads, qkv_bias)
        self.norm2 = LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Merge(nn.Module):
    """2x2 patches -> one of twice the width; cells in the order top-left, bottom-left, top-right, bottom-right."""

    def __init__(self, width):
        super().__init__()
        self.norm = LayerNorm(4 * width, eps=1e-5)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x, gh, gw):
        x = F.pad(x.view(x.shape[0], gh, gw, -1), (0, 0, 0, gw % 2, 0, gh % 2))
        x = torch.cat([x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]], -1)
        return self.reduction(self.norm(x.flatten(1, 2)))


class Split(nn.Module):
    """One token -> 2x2 of half the width, row by row."""

    def __init__(self, width):
        super().__init__()
        self.expansion = nn.Linear(2 * width, 4 * width, bias=False)
        self.norm = LayerNorm(width, eps=1e-5)

    def forward(self, x, mh, mw):
        batch, _, width = x.shape
        x = self.expansion(x).view(batch, mh, mw, 2, 2, width // 2).permute(0, 1, 3, 2, 4, 5)
        return self.norm(x.reshape(batch, 4 * mh * mw, width // 2))


def resize_grid(grid, side, gh, gw, window):
    """[side * side, w] -> [gh * gw, w]: bilinear to window x window (or gh x gw if window is None), top-left part kept."""
    if (gh, gw) == (side, side):
        return grid
    size = (gh, gw) if window is None else (window, window)
    grid = F.interpolate(grid.view(1, side, side, -1).permute(0, 3, 1, 2), size=size, mode="bilinear")
    return grid[0, :, :gh, :gw].flatten(1).T


class PrefixTokens(nn.Module):
    def __init__(self, count, width):
        super().__init__()
        self.token = nn.Parameter(torch.randn(count, width) * 0.02)


class PatchGenerator(nn.Module):
    """Patch features -> projected patches with positions, prefix tokens before them."""

    def __init__(self, shape, patch_width, global_width):
        super().__init__()
        self.grid = shape.grid
        self.embedder = nn.Linear(patch_width, shape.width, bias=False)
        self.pos_embed = nn.Parameter(torch.randn(1, shape.grid ** 2, shape.width) * 0.02)
        self.cls_token = PrefixTokens(shape.prefix, shape.width)
        self.global_map = nn.Linear(global_width, shape.width) if global_width else None

    def forward(self, patches, pooled, gh, gw):
        x = self.embedder(patches) + resize_grid(self.pos_embed[0], self.grid, gh, gw, max(gh, gw))
        prefix = self.cls_token.token.expand(len(x), -1, -1)
        if self.global_map is not None:
            with torch.autocast(x.device.type, enabled=False):
                first = prefix[:, :1] + self.global_map(pooled.float())[:, None]
            prefix = torch.cat([first, prefix[:, 1:]], 1)
        return torch.cat([prefix.to(x.dtype), x], 1)


class Decoder(nn.Module):
    def __init__(self, shape):
        super().__init__()
        width, self.split, self.prefix, self.filler_grid = shape.width, shape.split, shape.prefix, shape.filler_grid
        self.filler_tokens = nn.Parameter(torch.randn(shape.filler_grid ** 2, 2 * width) * 0.02)
        self.prefix_tokens = nn.Parameter(torch.randn(shape.prefix, 2 * width) * 0.02)
        self.blocks = nn.ModuleList([Block(2 * width, shape.heads, False) if i < shape.split else
                                     Block(width, shape.heads // 2, False) for i in range(shape.decoder_depth)])
        self.upscale_blocks = nn.ModuleList([Split(width)])
        self.prefix_proj_blocks = nn.ModuleList([nn.Linear(2 * width, width, bias=False)])
        self.norm = LayerNorm(width, eps=1e-6)

    def forward(self, tokens, gh, gw):
        """tokens [B, n, D] -> [B, P + gh * gw, C]"""
        batch, count, _ = tokens.shape
        mh, mw = (gh + 1) // 2, (gw + 1) // 2
        filler = resize_grid(self.filler_tokens, self.filler_grid, mh, mw, None)
        x = torch.cat([self.prefix_tokens.expand(batch, -1, -1).to(tokens.dtype), tokens,
                       filler[count:].expand(batch, -1, -1).to(tokens.dtype)], 1)
        for i, block in enumerate(self.blocks):
            if i == self.split:
                x = torch.cat([self.prefix_proj_blocks[0](x[:, :self.prefix]),
                               self.upscale_blocks[0](x[:, self.prefix:], mh, mw)], 1)
            x = block(x)
        x = self.norm(x)
        dense = x[:, self.prefix:].view(batch, 2 * mh, 2 * mw, -1)[:, :gh, :gw]
        return torch.cat([x[:, :self.prefix], dense.flatten(1, 2)], 1)


class Radio1D(nn.Module):
    """Blocks and decoder; reads patch features and the global feature, not pixels."""

    def __init__(self, shape, patch_width, global_width=0, final_norm=True):
        super().__init__()
        self.shape = shape
        width, heads = shape.width, shape.heads
        self.patch_generator = PatchGenerator(shape, patch_width, global_width)
        self.blocks = nn.ModuleList([Block(width, heads) if i < shape.merge else Block(2 * width, 2 * heads)
                                     for i in range(shape.depth)])
        self.downscale_blocks = nn.ModuleList([Merge(width)])
        self.prefix_proj_blocks = nn.ModuleList([nn.Linear(width, 2 * width, bias=False)])
        self.norm = LayerNorm(2 * width, eps=1e-6) if final_norm else nn.Identity()
        self.token0_map = nn.Linear(global_width, 2 * width) if global_width and shape.token0_skip else None
        self.decoder = Decoder(shape)

    def encode(self, patches, pooled, gh, gw):
        """patches [B, gh * gw, F], pooled [B, G] -> (prefix [B, P, D], tokens [B, gh * gw / 4, D])"""
        count = self.shape.prefix
        x = self.patch_generator(patches, pooled, gh, gw)
        for i, block in enumerate(self.blocks):
            if i == self.shape.merge:
                x = torch.cat([self.prefix_proj_blocks[0](x[:, :count]),
                               self.downscale_blocks[0](x[:, count:], gh, gw)], 1)
            x = block(x)
        x = self.norm(x)
        prefix, tokens = x[:, :count], x[:, count:count + gh * gw // 4]
        if self.token0_map is not None:
            with torch.autocast(x.device.type, enabled=False):
                first = tokens[:, :1].float() + self.token0_map(pooled.float())[:, None]
            tokens = torch.cat([first, tokens[:, 1:].float()], 1)
        return prefix, tokens


def normalised_global(pooled):
    """Pooled stem features -> square root, unit length."""
    return F.normalize(pooled.float().clamp_min(0).sqrt(), dim=1, eps=1e-12)


def region_cells(boxes, gh, gw):
    """(top, bottom, left, right) in cells of regions given in twelfths: all cells that they touch."""
    return [(t * gh // 12, -(-b * gh // 12), le * gw // 12, -(-r * gw // 12)) for t, b, le, r in boxes]


class RegionHead(nn.Module):
    """Patch features of R regions -> [B, R, width], added to the tokens after token 0."""

    def __init__(self, spec, features, width):
        super().__init__()
        self.boxes = spec["boxes"]
        self.fc1 = nn.Linear(2 * features + len(self.boxes), spec["hidden"])
        self.fc2 = nn.Linear(spec["hidden"], width)

    def pool(self, patches):
        """[B, gh, gw, F] -> [B, R, 2F + R]: mean and greatest value over each region, then which region it is."""
        parts = [patches[:, t:b, le:r].flatten(1, 2) for t, b, le, r in region_cells(self.boxes, *patches.shape[1:3])]
        pooled = torch.stack([torch.cat([part.mean(1), part.amax(1)], 1) for part in parts], 1)
        number = torch.eye(len(parts), dtype=pooled.dtype, device=pooled.device)
        return torch.cat([pooled, number.expand(len(pooled), -1, -1)], 2)

    def forward(self, patches):
        return self.fc2(F.gelu(self.fc1(self.pool(patches))))


class Hybrid(nn.Module):
    """Stem and Radio1D together, as exported; feature centring and scaling are buffers until the exporter folds them."""

    def __init__(self, stem_spec, shape):
        super().__init__()
        self.stem = Stem(stem_spec)
        self.radio = Radio1D(shape, self.stem.patch_width, self.stem.global_width)
        regions = stem_spec.get("regions")
        self.regions = RegionHead(regions, self.stem.patch_width, 2 * shape.width) if regions else None
        self.register_buffer("patch_mean", torch.zeros(self.stem.patch_width))
        self.register_buffer("patch_scale", torch.ones(self.stem.patch_width))
        self.register_buffer("global_mean", torch.zeros(self.stem.global_width))

    def encode_features(self, patches, pooled, gh, gw):
        """Raw stem outputs -> (prefix, tokens)."""
        scaled = (patches.float() - self.patch_mean) * self.patch_scale
        pooled = (normalised_global(pooled) - self.global_mean) * GLOBAL_SCALE
        prefix, tokens = self.radio.encode(scaled, pooled, gh, gw)
        if self.regions is not None:
            added = self.regions(patches.float().unflatten(1, (gh, gw)))[:, :tokens.shape[1] - 1]
            end = 1 + added.shape[1]
            tokens = torch.cat([tokens[:, :1], tokens[:, 1:end] + added, tokens[:, end:]], 1)
        return prefix, tokens

    def encode(self, x):
        """Conditioned pictures [B, 3, H, W] -> (prefix, tokens)."""
        patches, pooled, _ = self.stem(x)
        return self.encode_features(patches, pooled, x.shape[2] // 16, x.shape[3] // 16)
