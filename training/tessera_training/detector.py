"""SSD with MobileNetV2, trained on COCO's boxes: a teacher of where which object is, and, cut short, a branch of the stem.

Reads ssd_mobilenet_v2_coco_2018_03_29 of the TensorFlow detection model zoo (Apache-2.0) from its frozen graph. All of its
layers are of the kinds that a stem has (docs/MODEL_FORMAT.md), so it runs as a Stem.
"""
import torch

from .frozen import Frozen
from .frozen_graph import read_constants
from .stem import BN_EPS, LITE_MEAN, LITE_STD, Stem

SIZE = 300          # pixels, both sides, that the network was trained for
BLOCKS = 17
LEVELS = 6          # maps that boxes are read from
BACKGROUND = 1      # classes before the first object
GRID = 12           # cells a side of the detection map
STRIDED = (1, 3, 6, 13)
SCALES = [0.2 + 0.15 * i for i in range(LEVELS)] + [1.0]
RATIOS = (1.0, 2.0, 0.5, 3.0, 0.3333)    # width to height of a level's boxes, but for the first level
BRANCH_MAPS = ["detector.block12.project", "detector.block16.project"]   # last at stride 16, last at stride 32


def scope_layers(constants):
    """(layer list, {layer name: (weight OIHW, bias)}) of the whole detector; names as in a stem."""
    layers, tensors = [], {}

    def add(name, scope, kernel, stride=1, activation="relu6", **keys):
        depthwise = scope + "/depthwise_weights" in constants
        weight = torch.from_numpy(constants[scope + ("/depthwise_weights" if depthwise else "/weights")].copy())
        weight = weight.permute(2, 3, 0, 1) if depthwise else weight.permute(3, 2, 0, 1)
        if scope + "/biases" in constants:
            bias = torch.from_numpy(constants[scope + "/biases"].copy())
        else:
            gamma, beta, mean, variance = (torch.from_numpy(constants[f"{scope}/BatchNorm/{part}"].copy()) for part in
                                           ("gamma", "beta", "moving_mean", "moving_variance"))
            scale = gamma / torch.sqrt(variance + BN_EPS)
            weight, bias = weight * scale.view(-1, 1, 1, 1), beta - mean * scale
        out = weight.shape[0]
        kind = "depthwise" if depthwise else "conv" if kernel > 1 else "pointwise"
        layers.append({"name": name, "kind": kind, "kernel": kernel, "stride": stride,
                       "in": out if depthwise else weight.shape[1], "out": out, "activation": activation,
                       "padding": "same", **keys})
        tensors[name] = (weight, bias)

    root = "FeatureExtractor/MobilenetV2/"
    add("detector.conv", root + "Conv", 3, 2, **{"from": "image"})
    for i in range(BLOCKS):
        scope, name = root + ("expanded_conv" if i == 0 else f"expanded_conv_{i}"), f"detector.block{i}."
        shortcut = layers[-1]["name"]
        if i > 0:
            add(name + "expand", scope + "/expand", 1)
        stride = 2 if i in STRIDED else 1
        add(name + "depthwise", scope + "/depthwise", 3, stride)
        add(name + "project", scope + "/project", 1, activation="none")
        if i > 0 and stride == 1 and layers[-1]["out"] == layers[-3]["in"]:
            layers[-1]["add"] = shortcut
    add("detector.head", root + "Conv_1", 1)
    for i, width in enumerate((512, 256, 256, 128), start=2):
        add(f"detector.extra{i}.reduce", f"{root}layer_19_1_Conv2d_{i}_1x1_{width // 2}", 1)
        scope = f"{root}layer_19_2_Conv2d_{i}_3x3_s2_{width}"
        add(f"detector.extra{i}.depthwise", scope + "_depthwise", 3, 2)
        add(f"detector.extra{i}.project", scope, 1)
    sources = ["detector.block13.expand", "detector.head"] + [f"detector.extra{i}.project" for i in range(2, LEVELS)]
    for level, source in enumerate(sources):
        for part, scope in (("class", "ClassPredictor"), ("box", "BoxEncodingPredictor")):
            add(f"detector.{part}{level}", f"BoxPredictor_{level}/{scope}", 3, activation="none", **{"from": source})
    return layers, tensors


def anchors(level, side):
    """[side * side * n, 4] (centre y, centre x, height, width) of a level, in shares of the picture."""
    scale, following = SCALES[level], SCALES[level + 1]
    if level == 0:
        sizes = [(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
    else:
        sizes = [(scale, ratio) for ratio in RATIOS] + [((scale * following) ** 0.5, 1.0)]
    shapes = torch.tensor([(s / r ** 0.5, s * r ** 0.5) for s, r in sizes])
    centres = (torch.arange(side) + 0.5) / side
    grid = torch.stack(torch.meshgrid(centres, centres, indexing="ij"), -1).view(-1, 1, 2)
    return torch.cat([grid.expand(-1, len(shapes), -1), shapes.expand(side * side, -1, -1)], 2).flatten(0, 1)


def covered(boxes, cells):
    """boxes [B, N, 4] (top, left, bottom, right) -> [B, N, cells, cells]: share of each cell that the box covers."""
    edges = torch.arange(cells + 1, dtype=boxes.dtype) / cells

    def share(low, high):
        return (torch.minimum(high[..., None], edges[1:]) - torch.maximum(low[..., None], edges[:-1])).clamp_min(0) * cells
    return share(boxes[..., 0], boxes[..., 2])[..., :, None] * share(boxes[..., 1], boxes[..., 3])[..., None, :]


class Detector:
    """Runs the whole network; maps() gives for each class and cell the best box that covers the cell."""

    def __init__(self, path):
        layers, tensors = scope_layers(read_constants(path))
        heads = [f"detector.{part}{level}" for level in range(LEVELS) for part in ("class", "box")]
        self.network = load_stem(layers, tensors, heads[:1], heads[0])
        self.heads = heads
        self.run = Frozen(self.forward, heads, 0.5, 0.5)

    def forward(self, x):
        kept = self.network(x, keep=self.heads)[2]
        return {name: kept[name].permute(0, 2, 3, 1) for name in self.heads}

    def boxes(self, pictures):
        """uint8 [B, SIZE, SIZE, 3] -> (scores [B, N, classes], boxes [B, N, 4] top, left, bottom, right in 0..1)"""
        values = {name: torch.from_numpy(value) for name, value in self.run(pictures).items()}
        scores, boxes = [], []
        for level in range(LEVELS):
            prior = anchors(level, values[f"detector.class{level}"].shape[1])
            shift = values[f"detector.box{level}"].reshape(len(pictures), -1, 4)
            centre = shift[..., :2] / 10 * prior[:, 2:] + prior[:, :2]
            size = torch.exp(shift[..., 2:] / 5) * prior[:, 2:]
            boxes.append(torch.cat([centre - size / 2, centre + size / 2], -1).clamp(0, 1))
            logits = values[f"detector.class{level}"].reshape(len(pictures), len(prior), -1)
            scores.append(torch.sigmoid(logits[..., BACKGROUND:]))
        return torch.cat(scores, 1), torch.cat(boxes, 1)

    def maps(self, pictures, cells=GRID, least=0.02):
        """uint8 [B, SIZE, SIZE, 3] -> float16 [B, cells, cells, classes]: score of the best box times its share of the cell"""
        scores, boxes = self.boxes(pictures)
        out = torch.zeros(len(pictures), cells, cells, scores.shape[2])
        for b in range(len(pictures)):
            kept = (scores[b].amax(1) >= least).nonzero()[:, 0]
            area = covered(boxes[b, kept][None], cells)[0].flatten(1)
            for c in (scores[b, kept].amax(0) >= least).nonzero()[:, 0]:
                rows = (scores[b, kept, c] >= least).nonzero()[:, 0]
                best = (area[rows] * scores[b, kept[rows], c][:, None]).amax(0)
                out[b, :, :, c] = best.view(cells, cells)
        return out.half().numpy()


def load_stem(layers, tensors, patch_maps, global_map, name="detector"):
    """A Stem of some layers with the weights in `tensors`."""
    stem = Stem({"name": name, "layers": layers, "patch_maps": patch_maps, "global_map": global_map})
    with torch.no_grad():
        for layer in layers:
            module = stem.layers[layer["name"].replace(".", "_")]
            weight, bias = tensors[layer["name"]]
            module.weight.copy_(weight)
            module.bias.copy_(bias)
    return stem.eval().requires_grad_(False)


def branch(path):
    """(layers, tensors, patch maps) of the detector's backbone, for the same conditioned input as EfficientNet-Lite."""
    layers, tensors = scope_layers(read_constants(path))
    last = [layer["name"] for layer in layers].index(BRANCH_MAPS[-1])
    layers = layers[:last + 1]
    # The detector was trained with (value - 127.5) / 127.5, the stem's input is (value - 127) / 128.
    weight, bias = tensors["detector.conv"]
    tensors["detector.conv"] = (weight * (LITE_STD / 0.5), bias + weight.sum((1, 2, 3)) * ((LITE_MEAN - 0.5) / 0.5))
    return layers, tensors, list(BRANCH_MAPS)
