"""Trains the decoder alone to give from a model's new tokens what it gave from the old ones."""
import copy

import numpy as np
import torch

from .losses import sample_token_count


def settle_decoder(decoder, before, after, gh, gw, steps, rate=1e-3, size=16, seed=0):
    """before, after: tokens [N, n, D] of the same pictures on one grid; -> (first, last) relative square error.

    The first l tokens are decoded, l ~ p(x) = 2 - 2x as in training.
    """
    teacher = copy.deepcopy(decoder)
    rng, errors = np.random.default_rng(seed), []
    decoder.requires_grad_(True)
    optimizer = torch.optim.AdamW(decoder.parameters(), weight_decay=0.0, betas=(0.9, 0.98))
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * min(1, (step + 1) / 10) * (1 - step / steps)
        rows, count = rng.integers(0, len(after), size), sample_token_count(after.shape[1], rng)
        with torch.no_grad():
            wanted = teacher(before[rows, :count], gh, gw)
        loss = (decoder(after[rows, :count], gh, gw) - wanted).square().mean() / wanted.var()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        errors.append(loss.item())
    decoder.requires_grad_(False)
    tenth = max(1, steps // 10)
    return sum(errors[:tenth]) / tenth, sum(errors[-tenth:]) / tenth
