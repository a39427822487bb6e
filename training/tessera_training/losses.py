"""Training losses; every function returns a scalar."""
import torch
import torch.nn.functional as F


def cosine_loss(prediction, target):
    """1 - mean cosine; `target` has unit length."""
    return 1 - (F.normalize(prediction.float(), dim=-1) * target).sum(-1).mean()


def relational_loss(prediction, target, temperature=0.1):
    """KL divergence between the batch's softmaxed similarities of target and prediction, self-similarity left out."""
    prediction = F.normalize(prediction.float(), dim=-1)
    diagonal = torch.eye(len(prediction), dtype=torch.bool, device=prediction.device)
    ours, theirs = ((x @ x.T / temperature).masked_fill(diagonal, -1e4) for x in (prediction, target))
    return F.kl_div(F.log_softmax(ours, 1), F.softmax(theirs, 1), reduction="batchmean")


def sample_token_count(total, rng):
    """l ~ p(x) = 2 - 2x on [0, 1], scaled to 1..total: few tokens more often than many."""
    share = 1 - (1 - rng.random()) ** 0.5
    return min(total, 1 + int(share * total))
