"""Checks the PyTorch graph against released-format golden files: python -m tessera_training verify --goldens DIR."""
import json
from pathlib import Path

import torch

from .radio1d import Radio1D, Shape
from .safetensors_io import read_safetensors

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)


def pixel_patches(x):
    """[B, 3, H, W] -> [B, gh * gw, 768], the released linear projection's input."""
    batch, _, height, width = x.shape
    x = ((x - MEAN) / STD).view(batch, 3, height // 16, 16, width // 16, 16)
    return x.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def largest_error(folder, name="radio1d-tiny-a"):
    """Largest absolute error of tokens and decoder output over the cases of one golden without special options."""
    folder = Path(folder)
    options = json.loads((folder / f"{name}.config.json").read_text())["args"]["model_kwargs"]
    prefix = "radio_model.model."
    state = {k[len(prefix):]: v for k, v in read_safetensors(folder / f"{name}.safetensors").items()
             if k.startswith(prefix) and not k.endswith("_iter_count")}
    shape = Shape(width=options["embed_dim"], heads=options["num_heads"], depth=options["depth"],
                  merge=options["downscale_levels"][0], prefix=len(state["patch_generator.cls_token.token"]),
                  grid=round(state["patch_generator.pos_embed"].shape[1] ** 0.5),
                  decoder_depth=options["decoder_depth"], split=options["decoder_upscale_levels"][0],
                  filler_grid=round(len(state["decoder.filler_tokens"]) ** 0.5))
    model = Radio1D(shape, 768, final_norm="norm.weight" in state)
    model.load_state_dict(state)
    expected, worst = read_safetensors(folder / f"{name}-io.safetensors"), 0.0
    for key in expected:
        if not key.endswith(".decoder") or ".hf." in key:
            continue
        case, count, _ = key.split(".")
        pixels = expected[case + ".input"]
        gh, gw = pixels.shape[2] // 16, pixels.shape[3] // 16
        with torch.inference_mode():
            _, tokens = model.encode(pixel_patches(pixels), None, gh, gw)
            want = expected[f"{case}.{count}.tokens"]
            tokens = tokens[:, :want.shape[1]]
            if tokens.numel():
                worst = max(worst, (tokens - want).abs().max().item())
            worst = max(worst, (model.decoder(tokens, gh, gw) - expected[key]).abs().max().item())
    return worst
