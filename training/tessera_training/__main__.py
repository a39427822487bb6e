"""Command line: python -m tessera_training run --data DIR --teachers DIR --work DIR (see training/README.md)."""
import argparse
import multiprocessing
from pathlib import Path

import torch

from . import ablate, cache, evaluate, export, golden, hybrid_file, objects, settle, skip, train, verify

STEM = "efficientnet-lite1"
STEM_SIZE = 192         # shorter side, pixels, that the blocks are trained at
TEACHER_SIZE = 192
PREFERRED_SIZE = 224    # that the exported model is used at; its later tokens learn objects at it


def fill_cache(args, make_extractor, stem_size, **options):
    for view in args.views:
        (Path(args.work) / "cache" / str(view)).mkdir(parents=True, exist_ok=True)
    options |= {"data_dir": args.data, "work_dir": args.work, "views": args.views, "workers": args.workers,
                "stem_name": STEM, "stem_size": stem_size}
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=cache.fill_worker, args=(make_extractor, options, i)) for i in range(args.workers)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.exitcode != 0:
            raise SystemExit(f"a cache worker ended with {worker.exitcode}")


def run_cache(args):
    fill_cache(args, cache.teacher_extractor, STEM_SIZE, teacher_dir=args.teachers, teacher_size=TEACHER_SIZE)


def run_object_cache(args):
    fill_cache(args, objects.object_extractor, PREFERRED_SIZE, graph=args.graph)


def run_objects(args):
    hybrid, loss, errors = objects.learn(args.work, args.init, args.graph, args.passes, args.settle_steps, args.share)
    size = export.export(hybrid, args.out, args.name, PREFERRED_SIZE)
    print(f"objects: relative square error on held-out views {loss:.3f}")
    print(f"decoder: relative square error {errors[0]:.3f}, in the end {errors[1]:.3f}")
    print(f"{args.out}: {size / 1e6:.1f} MB")


def run_train(args):
    recipe = train.Recipe(dict(args.weights) if args.weights else None, args.directions, args.power, tuple(args.without),
                          not args.no_augment, args.rate)
    train.train(args.work, STEM, args.steps, args.minutes, recipe, args.init)


def run_ablate(args):
    ablate.ablate(args.work, args.data, STEM, args.steps, args.batch, args.chunks, args.only)


def run_export(args):
    state = torch.load(Path(args.work) / "student.pt", map_location="cpu", weights_only=True)
    student = train.new_student(STEM)
    student.load_state_dict(state["student"])
    size = export.export(student.net.eval(), args.out, args.name, PREFERRED_SIZE)
    print(f"{args.out}: step {state['step']}, {size / 1e6:.1f} MB")


def run_skip(args):
    hybrid = hybrid_file.read_hybrid(args.model)
    left = skip.add_skip(hybrid, train.stem_batches(args.work, hybrid.stem, args.chunks))
    around = skip.tokens_around(hybrid, train.stem_batches(args.work, hybrid.stem, args.chunks))
    errors = settle.settle_decoder(hybrid.radio.decoder, *around, args.settle_steps)
    size = export.export(hybrid, args.out, args.name, PREFERRED_SIZE)
    print(f"decoder: relative square error {errors[0]:.3f}, in the end {errors[1]:.3f}")
    print(f"{args.out}: {100 * left:.1f} % of the wanted token is out of the skip's reach, {size / 1e6:.1f} MB")


def run_evaluate(args):
    if args.features == "model":
        encode = evaluate.model_tokens(args.model, args.bf16)
    elif args.features == "stem":
        encode = evaluate.stem_tokens(args.model)
    else:
        encode = evaluate.teacher_tokens(args.teachers, args.features)
    title = f"{args.features} {args.size}" + (" bf16" if args.bf16 else "")
    results = evaluate.evaluate(encode, args.data, args.size, args.features != "model", table_dir=args.work)
    evaluate.report(title, results)
    if args.work:
        evaluate.save_results(Path(args.work) / "evaluation.jsonl", title, results)


def run_verify(args):
    for name in ("radio1d-tiny-a", "radio1d-tiny-c"):
        error = verify.largest_error(args.goldens, name)
        print(f"{name}: largest error {error:.1e}")
        if not error < 5e-5:
            raise SystemExit(f"{name}: the PyTorch graph differs from the reference")


def run_golden(args):
    golden.write_golden(args.out)


def run_tokens(args):
    golden.write_tokens(args.model, args.pictures, args.out)


def run_all(args):
    run_cache(args)
    run_train(args)
    run_export(args)
    if args.graph:
        taught = argparse.Namespace(**vars(args))
        taught.work, taught.init = str(Path(args.work) / "objects"), args.out
        run_object_cache(taught)
        run_objects(taught)
    args.model, args.features, args.size, args.bf16 = args.out, "model", PREFERRED_SIZE, False
    run_evaluate(args)


def part_weight(text):
    part, weight = text.split("=")
    return part, float(weight)


def parser():
    top = argparse.ArgumentParser(prog="tessera_training", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name, function, text, *groups):
        sub = commands.add_parser(name, help=text, description=text)
        for group in groups:
            group(sub)
        sub.set_defaults(function=function)
        return sub

    def data(sub):
        sub.add_argument("--data", required=True, help="folder with train-*.tar, train.csv and the eval-* sets")

    def work(sub):
        sub.add_argument("--work", required=True, help="folder for cached features and checkpoints (about 6 GB)")

    def caching(sub):
        sub.add_argument("--views", type=int, nargs="+", default=[0, 1], help="views per picture (default 0 1)")
        sub.add_argument("--workers", type=int, default=2, help="processes (default 2)")

    def teachers(sub):
        sub.add_argument("--teachers", help="folder with mnv2_tf.safetensors and inception_v3_m9.safetensors")

    def detector(sub, required=True):
        sub.add_argument("--graph", required=required, help="frozen graph of ssd_mobilenet_v2_coco_2018_03_29")

    def learning(sub):
        sub.add_argument("--passes", type=int, default=16, help="of the region head over the cached views (default 16)")
        sub.add_argument("--share", type=float, default=objects.SHARE, help=f"of the objects in the square of a token (default {objects.SHARE})")
        settling(sub)

    def settling(sub):
        sub.add_argument("--settle-steps", type=int, default=400, help="steps in which the decoder settles (default 400)")

    def training(sub):
        sub.add_argument("--steps", type=int, default=4000, help="optimiser steps in all (default 4000)")
        sub.add_argument("--minutes", type=float, help="stop after this much training time in all")
        sub.add_argument("--init", help="exported model to start from")
        sub.add_argument("--weights", nargs="+", metavar="PART=WEIGHT", type=part_weight,
                         help="weights of the teachers in token 0: stem, lite2, mnv2, inception_m8, inception_m9")
        sub.add_argument("--directions", type=int, help="principal directions of the joined teachers (default: all)")
        sub.add_argument("--power", type=float, default=1.0, help="of their singular values (default 1)")
        sub.add_argument("--without", nargs="+", default=[], choices=list(train.WEIGHTS), help="losses to leave out")
        sub.add_argument("--no-augment", action="store_true", help="neither windows of the grid nor mirroring")
        sub.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate (default 0.0015)")

    def out(sub):
        sub.add_argument("--out", required=True, help="folder to write")
        sub.add_argument("--name", default="tessera-hybrid-s", help="the model's name in config.json")

    def evaluation(sub):
        sub.add_argument("--model", help="exported model folder")
        sub.add_argument("--features", default="model",
                         help="model, stem, or a teacher part: lite2, mnv2, inception_m8, inception_m9")
        sub.add_argument("--teachers", help="folder of the teachers")
        sub.add_argument("--size", type=int, default=PREFERRED_SIZE)
        sub.add_argument("--bf16", action="store_true", help="products of the model as bf16 units give them, by rounding")
        sub.add_argument("--work", help="folder for results and the cached composition tables")

    sub = command("run", run_all, "cache, train, export and evaluate; with --graph objects as well", data, work, teachers, caching,
                  training, learning, out)
    detector(sub, required=False)
    command("cache", run_cache, "precompute stem and teacher features", data, work, teachers, caching)
    command("train", run_train, "train the blocks; resumes", work, training)
    sub = command("ablate", run_ablate, "short trainings with something left out or changed, from the cache", data, work)
    sub.add_argument("--steps", type=int, default=150, help="of each training (default 150)")
    sub.add_argument("--batch", type=int, default=64, help="views a step (default 64)")
    sub.add_argument("--chunks", type=int, default=12, help="chunks of the cache to judge by (default 12)")
    sub.add_argument("--only", nargs="+", choices=list(ablate.VARIANTS), help="these trainings only")
    command("export", run_export, "write config.json and model.safetensors of the last checkpoint", work, out)
    command("object-cache", run_object_cache, "precompute stem features and the detector's maps", data, work, detector, caching)
    sub = command("objects", run_objects, "teach the later tokens which objects are where, from object-cache", work, detector, learning, out)
    sub.add_argument("--init", required=True, help="exported model to start from")
    skipping = command("skip", run_skip, "fit the skip to token 0 of an exported model that has none", work, settling, out)
    skipping.add_argument("--model", required=True, help="exported model folder")
    skipping.add_argument("--chunks", type=int, default=12, help="chunks of 256 cached pictures to fit on (default 12)")
    command("evaluate", run_evaluate, "measure on the evaluation sets", data, evaluation)
    command("verify", run_verify, "check the graph against golden files",
            lambda sub: sub.add_argument("--goldens", required=True, help="folder of the released-format goldens"))
    command("golden", run_golden, "write the tiny hybrid for the C++ tests", out)
    tokens = command("tokens", run_tokens, "write the expected tokens of an exported model for some pictures")
    tokens.add_argument("--model", required=True, help="exported model folder")
    tokens.add_argument("--out", required=True, help="safetensors file to write")
    tokens.add_argument("pictures", nargs="+")
    return top


if __name__ == "__main__":
    arguments = parser().parse_args()
    arguments.function(arguments)
