"""Fits the skip from the stem's pooled head to token 0 of a trained model, in closed form and without labels.

The 1280 pooled values reach token 0 through the first prefix token, 192 wide. The wanted token joins token 0 and the pooled head with
equal weight, keeps as many principal directions as a token has values, and evens their strength out (singular values to the
power POWER). Axes are free, so an orthogonal turn of the wanted tokens and the ridge regression from the head to what token 0
lacks of them are found in turn. The decoder is then trained to read the new token 0 (settle.py).
"""
import torch

from .radio1d import GLOBAL_SCALE, normalised_global
from .targets import procrustes, unit

POWER = 0.5
LENGTH = 1.4    # of the wanted token, in lengths of the present one
RIDGE = 1e-3
ROUNDS = 10


def wanted_tokens(tokens, head):
    """tokens [N, D], head [N, G] centred -> [N, D] whose mean length is LENGTH times that of `tokens`."""
    both = torch.cat([unit(tokens), unit(head)], 1)
    both = both - both.mean(0)
    variances, directions = torch.linalg.eigh(both.T @ both / len(both))
    leading = slice(-tokens.shape[1], None)
    wanted = both @ (directions[:, leading] * variances[leading].clamp_min(1e-9) ** ((POWER - 1) / 2))
    return wanted * (LENGTH * tokens.norm(dim=1).mean() / wanted.norm(dim=1).mean())


def fit(tokens, head):
    """Present token 0 [N, D] and centred head [N, G] -> (weight [D, G], bias [D], share of the wanted length not met)."""
    wanted = wanted_tokens(tokens, head)
    gram = head.T @ head / len(head)
    gram += RIDGE * gram.trace() / len(gram) * torch.eye(len(gram))
    bias, met = -tokens.mean(0), tokens - tokens.mean(0)
    for _ in range(ROUNDS):
        missing = wanted @ procrustes(wanted, met) - tokens
        bias = missing.mean(0)
        weight = torch.linalg.solve(gram, head.T @ (missing - bias) / len(head)).T
        met = tokens + head @ weight.T + bias
    left = (missing + tokens - met).norm() / wanted.norm()
    return weight, bias, left.item()


@torch.no_grad()
def add_skip(hybrid, batches):
    """Fits the skip of `hybrid`, which has none yet, on batches (patches, pooled, gh, gw) of raw stem outputs."""
    tokens, head = [], []
    for patches, pooled, gh, gw in batches:
        tokens.append(hybrid.encode_features(patches, pooled, gh, gw)[1][:, 0])
        head.append(normalised_global(pooled))
    tokens, head = torch.cat(tokens), torch.cat(head)
    mean = head.mean(0)
    weight, bias, left = fit(tokens, head - mean)
    skip = torch.nn.Linear(weight.shape[1], weight.shape[0])
    skip.weight.copy_(weight / GLOBAL_SCALE)
    skip.bias.copy_(bias + weight @ (hybrid.global_mean - mean))
    hybrid.radio.token0_map, hybrid.radio.shape.token0_skip = skip, True
    return left


@torch.no_grad()
def tokens_around(hybrid, batches):
    """Tokens without and with the skip [N, n, D] of batches as for add_skip(), of one grid."""
    before, after = [], []
    for patches, pooled, gh, gw in batches:
        tokens = hybrid.encode_features(patches, pooled, gh, gw)[1]
        skipped = hybrid.radio.token0_map((normalised_global(pooled) - hybrid.global_mean) * GLOBAL_SCALE)
        after.append(tokens)
        before.append(torch.cat([tokens[:, :1] - skipped[:, None], tokens[:, 1:]], 1))
    return torch.cat(before), torch.cat(after), gh, gw
