from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lambent.cli import main

from .conftest import Run
from .error_cases import ALONE, EACH
from .error_cases_bench import CASES as OF_BENCH
from .error_cases_bench import write_published

TRAIN = ("train", "--data", "digits", "--out", "{out}")
SAMPLE = ("sample", "{plain}", "--out", "{out}.png")

# What was asked for, and words that the one line on standard error holds.
CASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "command": (("tarin",), ("unknown command 'tarin'", "did you mean 'train'")),
    "command, far": (("x",), ("unknown command 'x'", "lambent --help")),
    "option": (
        ("evaluate", "{run}", "--data", "digits", "--datasize", "3"),
        ("unknown '--datasize'", "did you mean '--data-size'"),
    ),
    "option read first": (("train", "--modle", "glow"), ("'--modle'", "did you mean '--model'")),
    "short option": ((*TRAIN, "-q"), ("unrecognized arguments: -q",)),
    "one argument too many": ((*TRAIN, "more"), ("unrecognized arguments: more",)),
    "model": ((*TRAIN, "--model", "glwo"), ("model: unknown 'glwo'", "did you mean 'glow'")),
    "preset": ((*TRAIN, "--model", "glow_digts"), ("did you mean 'glow_digits'",)),
    "model, none": ((*TRAIN, "--model"), ("--model: expected a value, got none",)),
    "model key": (
        (*TRAIN, "--model.levles", "2"),
        ("unknown '--model.levles'", "did you mean '--model.levels'"),
    ),
    "train key": ((*TRAIN, "--train.max_step=2"), ("did you mean '--train.max_steps'",)),
    "no data": (("train", "--out", "{out}"), ("required: data",)),
    "no out": (("train", "--data", "digits"), ("required: out",)),
    "no run": (("evaluate", "--data", "digits"), ("required: run",)),
    "no pictures": (("interpolate", "{plain}", "--out", "x.png"), ("required: first, last",)),
    "nothing to describe": (("info",), ("required: what",)),
    "data, missing": (
        ("train", "--data", "{out}/nowhere", "--out", "{out}"),
        ("data: expected 'digits', a folder", "nowhere', which is no such path"),
    ),
    "data, empty folder": (
        ("train", "--data", "{empty}", "--out", "{out}"),
        ("data: expected", "empty', which holds neither pictures nor parquet"),
    ),
    "data, split": (
        ("evaluate", "{run}", "--data", "digits", "--data-split", "tset"),
        ("split: expected one of train, validation, all", "'tset'"),
    ),
    "data, share": ((*TRAIN, "--data-validation", "1.5"), ("validation: expected", "1.5")),
    "grey levels, none": ((*TRAIN, "--data-grey_levels", "0"), ("grey_levels: expected 2 to 256",)),
    "grey levels, too many": (
        (*TRAIN, "--data-grey_levels", "300"),
        ("grey_levels: expected 2 to 256, given 300",),
    ),
    "recipe": (
        (*TRAIN, "--data-recipe", "cifra10"),
        ("data-recipe: unknown 'cifra10'", "did you mean 'cifar10'"),
    ),
    "resample": (
        (*TRAIN, "--data-resample", "cubic"),
        ("data-resample: expected one of", "'cubic'"),
    ),
    "channels of no picture": (
        (*TRAIN, "--data-channels", "2"),
        ("data-channels: expected", "'2'"),
    ),
    "in memory": (
        (*TRAIN, "--data-in_memory", "maybe"),
        ("data-in_memory: expected", "'maybe'"),
    ),
    "unchecked but skipped": (
        (*TRAIN, "--data-check", "false", "--data-on_error", "skip"),
        ("check: expected true with on_error skip, given false",),
    ),
    "padding": ((*TRAIN, "--data-pad", "-1"), ("pad: expected a number from 0, given -1",)),
    "window larger than the images": (
        (*TRAIN, "--data-window", "9"),
        ("window: expected pictures of at least 9 x 9", "given 8 x 8"),
    ),
    "split to validate on": (
        (*TRAIN, "--data-validation_split", "test"),
        ("validation_split: expected one of", "given 'test'"),
    ),
    "hub without a network": (
        ("train", "--data", "hf:nobody/none", "--out", "{out}"),
        ("data: expected a set of images on the Hugging Face hub and a network",),
    ),
    "size of no level": ((*TRAIN, "--data-size", "9"), ("levels", "9 x 9", "no levels fit")),
    "size of fewer levels": (
        (*TRAIN, "--data-size", "[12,20]", "--model.levels", "3"),
        ("levels: expected", "12 x 20", "levels 1 to 2 would fit"),
    ),
    "size, no number": ((*TRAIN, "--data-size", "big"), ("data-size: expected int", "'big'")),
    "channels of the data": (
        ("evaluate", "{plain}", "--data", "{pictures}", "--data-split", "all"),
        ("data: the model expects images of 1 channel, 8 x 8", "has 3 channels, 8 x 8"),
    ),
    "training on the validation images": (
        (*TRAIN, "--data-split", "all"),
        ("data-split: expected images apart from the validation images", "given 'all'"),
    ),
    "nothing to validate on": (
        (*TRAIN, "--data-validation", "0"),
        ("data-validation: expected more than 0", "given 0"),
    ),
    "channels of the model": (
        (*TRAIN, "--model.shape", "[3,8,8]"),
        ("data: the model expects images of 3 channels", "has 1 channel"),
    ),
    "size of the data": (
        ("evaluate", "{plain}", "--data", "digits", "--data-size", "16"),
        ("data: the model expects images of 1 channel, 8 x 8", "16 x 16; --data-size resizes"),
    ),
    "grey levels 0": (
        (*TRAIN, "--model.grey_levels", "0"),
        ("grey_levels: expected 2 to 256, got 0",),
    ),
    "objective": (
        (*TRAIN, "--objective=joynt"),
        ("objective: expected likelihood or joint, got 'joynt'",),
    ),
    "objective of another model": (
        (*TRAIN, "--objective=joint", "--model=nice"),
        ("objective: joint expects the model joint, got nice",),
    ),
    "joint, no condition": (
        (*TRAIN, "--model=joint"),
        ("conditioning: expected one of conditioning label", "got none"),
    ),
    "joint, weight": (
        (*TRAIN, "--objective=joint", "--model.rule_weight=0"),
        ("rule_weight: expected more than 0, got 0.0",),
    ),
    "joint, haar of labels": (
        (*TRAIN, "--objective=joint", "--model.haar=true"),
        ("haar: expected false without a condition of images",),
    ),
    "context of images": (
        (*TRAIN, "--context=a"),
        ("context: expected none for images, given 'a'",),
    ),
    "kinds of images": (
        (*TRAIN, "--data-kinds=a=real"),
        ("kinds: expected none for images, given 'a=real'",),
    ),
    "kinds, no pair": (
        (*TRAIN, "--data-kinds=price"),
        ("kinds: expected name=kind,name=kind, given 'price'",),
    ),
    "columns, an empty name": (
        (*TRAIN, "--data-columns=a,,b"),
        ("columns: expected names of columns with commas between them, given 'a,,b'",),
    ),
    "annealing without a layer": (
        (*TRAIN, "--train.anneal_steps=5"),
        ("anneal_steps: expected 0 for a flow without a layer that anneals", "got 5"),
    ),
    "classes smaller than a batch": (
        (*TRAIN, "--train.one_class_batches=true", "--train.batch_size=1000"),
        ("one_class_batches: expected at least a batch of 1000 images of each class",),
    ),
    "numbers for a model that takes none": (
        (*SAMPLE, "--given=1"),
        ("given: the model is not conditional on numbers, got '1'",),
    ),
    "nice, no couplings": (
        (*TRAIN, "--model=nice", "--model.couplings=0"),
        ("couplings: expected at least 1, got 0",),
    ),
    "nice, prior": (
        (*TRAIN, "--model=nice", "--model.prior=flat"),
        ("model.prior: expected one of 'logistic', 'normal', got 'flat'",),
    ),
    "nice, shape": (
        (*TRAIN, "--model=nice", "--model.shape=[8,8]"),
        ("shape: expected (features,) or (channels, height, width), all positive, got (8, 8)",),
    ),
    "nice of vectors": (
        (*TRAIN, "--model=nice", "--model.shape=[64]"),
        ("grey_levels: expected none for vectors, got 17",),
    ),
    "nsf, images": (
        (*TRAIN, "--model=nsf"),
        ("shape", "(features,)"),
    ),
    "nsf, bins": (
        (*TRAIN, "--model=nsf", "--model.shape=[64]", "--model.bins=1"),
        ("bins", "2 to 999"),
    ),
    "nsf, form": (
        (*TRAIN, "--model=nsf", "--model.shape=[64]", "--model.form=both"),
        ("model.form: expected one of 'autoregressive', 'coupling', got 'both'",),
    ),
    "nsf, mixing": (
        (*TRAIN, "--model=nsf", "--model.shape=[64]", "--model.mixing=none"),
        ("model.mixing: expected one of 'reverse', 'shuffle', 'linear', got 'none'",),
    ),
    "nsf, one feature": (
        (*TRAIN, "--model=nsf", "--model.shape=[1]", "--model.form=coupling"),
        ("shape", "expected 2 features or more of couplings, got 1"),
    ),
    "nsf, dropout": (
        (*TRAIN, "--model=nsf", "--model.shape=[64]", "--model.dropout=0.1"),
        ("dropout: expected 0 without residual networks, got 0.1",),
    ),
    "nsf, dropout of all": (
        (*TRAIN, "--model=nsf", "--model.shape=[64]", "--model.dropout=1"),
        ("dropout: expected 0 to 1, and less than 1, got 1.0",),
    ),
    "nsf, network": (
        (*TRAIN, "--model=nsf", "--model.shape=[64]", "--model.network=residual"),
        ("network: expected plain in the autoregressive form, got residual",),
    ),
    "maf, base": (
        (*TRAIN, "--model=maf", "--model.shape=[64]", "--model.base=cauchy"),
        ("model.base: expected one of 'normal', 'logistic', 'student', 'mixture', got 'cauchy'",),
    ),
    "maf, components": (
        (
            *TRAIN,
            "--model=maf",
            "--model.shape=[64]",
            "--model.base=mixture",
            "--model.components=0",
        ),
        ("components: expected at least 1, got 0",),
    ),
    "maf, vectors": (
        (*TRAIN, "--model=maf", "--model.shape=[64]", "--model.context_features=0"),
        ("context_features: expected at least 1, got 0",),
    ),
    "maf_mog, base": (
        (*TRAIN, "--model=maf_mog", "--model.shape=[64]", "--model.base=student"),
        ("base: expected normal, in whose place the mixtures stand, got student",),
    ),
    "naf, units": (
        (*TRAIN, "--model=naf", "--model.shape=[64]", "--model.units=0"),
        ("units: expected at least 1, got 0",),
    ),
    "bernstein, degree": (
        (*TRAIN, "--model=bernstein", "--model.shape=[64]", "--model.degree=1"),
        ("degree: expected 2 to 99, got 1",),
    ),
    "bernstein, bound": (
        (*TRAIN, "--model=bernstein", "--model.shape=[64]", "--model.polynomial_bound=0"),
        ("polynomial_bound: expected more than 0, got 0.0",),
    ),
    "flowpp, whiten": (
        (*TRAIN, "--model=flowpp", "--model.whiten=true"),
        ("whiten: expected false for images, got true for the shape (1, 8, 8)",),
    ),
    "flowpp, components": (
        (*TRAIN, "--model=flowpp", "--model.components=0"),
        ("components: expected at least 1, got 0",),
    ),
    "flowpp, noise": (
        (
            *TRAIN,
            "--model=flowpp",
            "--model.dequantisation=variational",
            "--model.noise_width=0",
        ),
        ("noise_width: expected at least 1, got 0",),
    ),
    "glow, noise": (
        (*TRAIN, "--model.dequantisation=gaussian"),
        ("model.dequantisation: expected one of 'uniform', 'variational', got 'gaussian'",),
    ),
    "planar, transforms": (
        (*TRAIN, "--model=planar", "--model.shape=[64]", "--model.transforms=0"),
        ("transforms: expected at least 1, got 0",),
    ),
    "sylvester, units": (
        (*TRAIN, "--model=sylvester", "--model.shape=[64]", "--model.units=65"),
        ("units: expected 1 to the features, 64, got 65",),
    ),
    "sylvester, reflections": (
        (*TRAIN, "--model=sylvester", "--model.shape=[64]", "--model.reflections=0"),
        ("reflections: expected at least 1, got 0",),
    ),
    "nsf, degrees": (
        (
            *TRAIN,
            "--model=nsf",
            "--model.shape=[64]",
            "--model.form=coupling",
            "--model.degrees=random",
        ),
        ("degrees: expected even of couplings, got random",),
    ),
    "nsf, inverse": (
        (
            *TRAIN,
            "--model=nsf",
            "--model.shape=[64]",
            "--model.form=coupling",
            "--model.inverse=jacobi",
        ),
        ("inverse: expected cached of couplings, got jacobi",),
    ),
    "nsf, splines of what is kept": (
        (*TRAIN, "--model=nsf", "--model.shape=[64]", "--model.kept_splines=true"),
        ("kept_splines: expected false in the autoregressive form, got true",),
    ),
    "realnvp, levels": (
        (*TRAIN, "--model=realnvp", "--model.levels=4"),
        ("levels: expected a height that 2 to the 3 divides", "for 4 levels, got 8 x 8"),
    ),
    "realnvp, alpha": (
        (*TRAIN, "--model=realnvp", "--model.alpha=0.5"),
        ("alpha: expected more than 0, less than 0.5, got 0.5",),
    ),
    "realnvp, bound": (
        (*TRAIN, "--model=realnvp", "--model.scale_bound=0"),
        ("scale_bound: expected more than 0, got 0",),
    ),
    "realnvp, blocks": (
        (*TRAIN, "--model=realnvp", "--model.blocks=-1"),
        ("blocks: expected at least 0, got -1",),
    ),
    "realnvp, norm": (
        (*TRAIN, "--model=realnvp", "--model.norm=layer"),
        ("model.norm: expected one of 'batch', 'actnorm', 'none', got 'layer'",),
    ),
    "grey levels 300": (
        (*TRAIN, "--model.grey_levels", "300"),
        ("grey_levels: expected 2 to 256, got 300",),
    ),
    "a word": (
        (*TRAIN, "--model.permutation", "swap"),
        ("model.permutation: expected one of 'plu', 'conv', 'shuffle', 'reverse', got 'swap'",),
    ),
    "a number": ((*TRAIN, "--train.max_steps", "ten"), ("train.max_steps: expected int",)),
    "batch size": (
        (*TRAIN, "--train.batch_size", "0"),
        ("batch_size: expected at least 1, got 0",),
    ),
    "classes of unlabelled data": (
        ("train", "--data", "{pictures}", "--out", "{out}", "--model.conditioning", "top"),
        ("classes: conditioning 'top' expects at least 1 class, got None",),
    ),
    "class head on unlabelled data": (
        ("train", "--data", "{pictures}", "--out", "{out}", "--train.class_weight", "0.1"),
        ("class_weight: expected labelled data",),
    ),
    "task": ((*TRAIN, "--task=blur"), ("task: expected superres:FACTOR", "got 'blur'")),
    "task, none": ((*TRAIN, "--task"), ("--task: expected a value, got none",)),
    "task of other images": (
        (*TRAIN, "--task=colourise"),
        ("task: colourise expects 3 channels, got 1",),
    ),
    "task of another size": (
        (*TRAIN, "--task=superres:3"),
        ("task: superres:3 expects a height and width that 3 divides, got 8 x 8",),
    ),
    "task of another family": (
        (*TRAIN, "--model=nice", "--task=superres:2"),
        ("task: expected a family that takes images, glow, got nice",),
    ),
    "task beside labels": (
        (*TRAIN, "--task=superres:2", "--model.conditioning=strong"),
        ("conditioning: task superres:2 expects image or both, got strong",),
    ),
    "images of no task": (
        (*TRAIN, "--model.conditioning=image", "--model.context_shape=[1,4,4]"),
        ("task: the flow is conditional on images", "got none"),
    ),
    "images of no shape": (
        (*TRAIN, "--model.conditioning=image"),
        ("context_shape: conditioning on images expects a task or",),
    ),
    "images of another shape": (
        (*TRAIN, "--task=superres:2", "--model.context_shape=[1,8,8]"),
        ("context_shape: task superres:2 makes (1, 4, 4), got (1, 8, 8)",),
    ),
    "rows of no task": (
        (*SAMPLE, "--rows=0"),
        ("rows: expected with a model that is conditional on images alone, got '0'",),
    ),
    "data of no task": (
        (*SAMPLE, "--data=digits"),
        ("data: expected with a model that is conditional on images alone, got 'digits'",),
    ),
    "inputs of no set": (
        ("sample", "{inpainter}", "--out={out}.png"),
        ("data: the model is conditional on images; expected a set",),
    ),
    "inputs of another size": (
        ("sample", "{inpainter}", "--data={nines}", "--data-split=all", "--out={out}.png"),
        ("data: the model expects images of 1 channel, 8 x 8",),
    ),
    "rows, words": (
        ("sample", "{inpainter}", "--data=digits", "--rows=a,b", "--out={out}.png"),
        ("rows: expected numbers 0 to", "such as 0,5,9, got 'a,b'"),
    ),
    "rows, too large": (
        ("sample", "{inpainter}", "--data=digits", "--rows=0,99999", "--out={out}.png"),
        ("rows: expected numbers 0 to", "got '0,99999'"),
    ),
    "label of a task without": (
        ("sample", "{inpainter}", "--data=digits", "--label=1", "--out={out}.png"),
        ("label: the model is not class-conditional, got 1",),
    ),
    "encode with images": (
        ("encode", "{inpainter}", "--data=digits", "--out={out}.npz"),
        ("run: expected a model that needs no input images here",),
    ),
    "decode with images": (
        ("decode", "{inpainter}", "--latents={tables}/good.npz", "--out={out}.npz"),
        ("run: expected a model that needs no input images here",),
    ),
    "interpolate with images": (
        ("interpolate", "{inpainter}", "{eight}", "{eight}", "--out={out}.png"),
        ("run: expected a model that needs no input images here",),
    ),
    "export with images": (
        ("export", "{inpainter}", "--what=encode", "--out={out}.pt2"),
        ("Pyramid at 'context_encoder'",),
    ),
    "check with images": (
        ("info", "{inpainter}", "--check"),
        ("data: the model is conditional on images; expected a set, got none",),
    ),
    "marginal with images": (
        ("evaluate", "{inpainter}", "--data=digits", "--marginal"),
        ("marginal: expected a flow conditional on labels, got one of the image",),
    ),
    "seed": ((*TRAIN, "--seed", "-1"), ("seed: expected a number from 0, got -1",)),
    "workers": ((*TRAIN, "--workers", "-2"), ("workers: expected a number from 0, got -2",)),
    "device": (
        (*SAMPLE, "--device", "tpu"),
        ("device: expected one of 'auto', 'cpu', 'cuda', 'mps', got 'tpu'",),
    ),
    "temperature": (
        (*SAMPLE, "--temperature", "-1"),
        ("temperature: expected at least 0, got -1",),
    ),
    "n 0": ((*SAMPLE, "--n", "0"), ("n: expected at least 1, got 0",)),
    "n -3": ((*SAMPLE, "--n", "-3"), ("n: expected at least 1, got -3",)),
    "n, no number": ((*SAMPLE, "--n", "many"), ("n: expected int, got 'many'",)),
    "columns": ((*SAMPLE, "--columns", "0"), ("columns: expected a number from 1",)),
    "label without classes": (
        (*SAMPLE, "--label", "3"),
        ("label: the model is not class-conditional, got 3",),
    ),
    "label too large": (
        ("sample", "{run}", "--out", "{out}.png", "--label", "10"),
        ("label: expected 0 to 9, got 10",),
    ),
    "label too small": (
        ("sample", "{run}", "--out", "{out}.png", "--label", "-1"),
        ("label: expected 0 to 9, got -1",),
    ),
    "labels of another set": (
        ("evaluate", "{run}", "--data", "{classes}", "--data-split", "all"),
        ("label: expected 0 to 9, got",),
    ),
    "no labels": (
        ("evaluate", "{run}", "--data", "{grey}", "--data-split", "all"),
        ("data: the flow is conditional; expected labelled images, got none",),
    ),
    "marginal without classes": (
        ("evaluate", "{plain}", "--data", "digits", "--marginal"),
        ("marginal: expected a flow conditional on labels",),
    ),
    "run without a model": (
        ("sample", "{empty}", "--out", "{out}.png"),
        ("empty: expected a folder with a trained model",),
    ),
    "run that is not there": (
        ("evaluate", "{out}", "--data", "digits"),
        ("expected a folder with a trained model",),
    ),
    "unknown to info": (("info", "glwo"), ("what: expected", "'glwo'", "did you mean 'glow'")),
    "info of an empty folder": (("info", "{empty}"), ("expected a folder with a trained model",)),
    "out is a file": (
        ("train", "--data", "digits", "--out", "{file}"),
        ("out: expected a folder, got the file",),
    ),
    "out is under a file": (
        ("train", "--data", "digits", "--out", "{file}/run", "--model.steps=1"),
        ("out: expected a folder that can be written, got", "file/run'"),
    ),
    "out holds a run": (
        ("train", "--data", "digits", "--out", "{run}"),
        ("out: ", "holds a run already", "--resume"),
    ),
    "picture under a file": (
        ("sample", "{plain}", "--n=1", "--out", "{file}/x.png"),
        ("out: expected a picture file that can be written, got", "file/x.png'"),
    ),
    "picture is a folder": (
        ("sample", "{plain}", "--n=1", "--out", "{folder}.png"),
        ("out: expected a picture file that can be written, got", "directory"),
    ),
    "picture of no known kind": (
        ("sample", "{plain}", "--n=1", "--out", "{out}.xyz"),
        ("out: expected a picture file", ".xyz"),
    ),
    "devices, none": ((*TRAIN, "--devices", "0"), ("devices: expected at least 1", "got 0")),
    "parts of no batch": (
        (*TRAIN, "--train.accumulate", "7"),
        ("accumulate: expected a divisor of the batch size 64, got 7",),
    ),
    "parts and one backward pass": (
        (*TRAIN, "--train.accumulate=2", "--train.optimizer_in_backward=true"),
        ("accumulate: expected 1 with optimizer_in_backward",),
    ),
    "logger": (
        (*TRAIN, "--train.loggers", "[tensorbord]"),
        ("loggers: expected", "tensorbord"),
    ),
    "average": ((*TRAIN, "--train.averaging", "swa"), ("averaging: expected one of", "'swa'")),
    "shift": ((*TRAIN, "--train.shift", "1.5"), ("shift: expected 0 up to 1, got 1.5",)),
    "resume without a run": (
        (*TRAIN, "--resume", "--model.steps=1"),
        ("resume: expected a run in", "found none"),
    ),
    "config, missing": (
        (*TRAIN, "--config", "{out}.yaml"),
        ("config: expected a YAML file, got", ".yaml', which is not one"),
    ),
    "config, none": ((*TRAIN, "--config"), ("--config: expected a value, got none",)),
    "config, broken": ((*TRAIN, "--config", "{broken}"), ("config: expected YAML in", "broken")),
    "config, no mapping": ((*TRAIN, "--config", "{list}"), ("config: expected a mapping in",)),
    "config, binary": ((*TRAIN, "--config", "{picture}"), ("config: expected YAML in", "nine.png")),
    "config, unknown key": (
        (*TRAIN, "--config", "{misspelt}"),
        ("unknown '--model.stepz'", "did you mean '--model.steps'"),
    ),
    "config, unknown section": (
        (*TRAIN, "--config", "{section}"),
        ("unknown '--optimizer.name'",),
    ),
    "config, unknown model": ((*TRAIN, "--config", "{nomodel}"), ("model: unknown 'glwo'",)),
    "config, bad value": (
        (*TRAIN, "--config", "{badvalue}"),
        ("train.max_steps: expected int, got 'soon'",),
    ),
    "pictures of another size": (
        ("interpolate", "{plain}", "{picture}", "{picture}", "--out", "{out}.png"),
        ("expected a picture of 8 x 8", "given 9 x 7", "nine.png"),
    ),
    "pictures that are not there": (
        ("interpolate", "{plain}", "{out}.png", "{picture}", "--out", "{out}.png"),
        ("expected a readable picture", "No such file"),
    ),
    "pictures that are none": (
        ("interpolate", "{plain}", "{broken}", "{broken}", "--out", "{out}.png"),
        ("expected a readable picture", "broken.yaml"),
    ),
    "frames": (
        ("interpolate", "{plain}", "{eight}", "{eight}", "--frames", "1", "--out", "{out}.png"),
        ("frames: expected at least 2, got 1",),
    ),
    "optimiser": (
        (*TRAIN, "--train.optimizer", "adma"),
        ("train.optimizer: expected one of 'adam'", "got 'adma'"),
    ),
    "run without weights": (
        ("sample", "{noweights}", "--out", "{out}.png"),
        ("model.safetensors: expected the weights of this glow", "No such file"),
    ),
    "run whose weights are a pickle": (
        ("evaluate", "{pickled}", "--data", "digits"),
        ("model.safetensors: expected the weights of this glow",),
    ),
    "run that asks for too much": (
        ("reconstruct", "{absurd}", "--data", "digits", "--out", "{out}.png"),
        ("model.safetensors: expected the weights", "too few for what config.json asks for"),
    ),
    "run whose config is no text": (
        ("info", "{unread}"),
        ("config.json: expected JSON",),
    ),
    "model of the package, misspelt": (
        ("sample", "digits-dmo", "--out", "{out}.png"),
        ("digits-dmo: expected a folder with a trained model", "digits-demo"),
    ),
    "reconstruct none": (
        ("reconstruct", "{plain}", "--data", "digits", "--n", "0", "--out", "{out}.png"),
        ("n: expected at least 1, got 0",),
    ),
    "importance samples": (
        ("evaluate", "{plain}", "--data", "digits", "--importance-samples", "0"),
        ("importance_samples: expected at least 1, got 0",),
    ),
    "bootstrap": (
        ("evaluate", "{plain}", "--data", "digits", "--bootstrap", "-1"),
        ("bootstrap: expected at least 1, got -1",),
    ),
    "weights of a model folder": (
        ("evaluate", "{plain}", "--data", "digits", "--weights", "best-raw"),
        ("weights: expected a run with", "best.ckpt, found none"),
    ),
    "weights, a word": (
        ("score", "{plain}", "--data", "digits", "--out", "{out}.npz", "--weights", "ema"),
        ("weights: expected one of 'model', 'best-averaged'", "got 'ema'"),
    ),
    "encode, no run": (
        ("encode", "{empty}", "--data", "digits", "--out", "{out}.npz"),
        ("empty: expected a folder with a trained model",),
    ),
    "encode, suffix": (
        ("encode", "{plain}", "--data", "digits", "--out", "{out}.csv"),
        ("out: expected a name that ends in .npz or .parquet, got", "out.csv"),
    ),
    "encode under a file": (
        ("encode", "{plain}", "--data", "digits", "--out", "{file}/z.npz"),
        ("out: expected a file that can be written, got", "file/z.npz"),
    ),
    "encode, batch size": (
        ("encode", "{plain}", "--data", "digits", "--out", "{out}.npz", "--batch-size", "0"),
        ("batch_size: expected a number from 1, given 0",),
    ),
    "encode, labels of another set": (
        ("encode", "{run}", "--data", "{classes}", "--data-split", "all", "--out", "{out}.npz"),
        ("label: expected 0 to 9, got",),
    ),
    "encode, no labels": (
        ("encode", "{run}", "--data", "{grey}", "--data-split", "all", "--out", "{out}.parquet"),
        ("data: the flow is conditional; expected labelled images, got none",),
    ),
    "encode, shape": (
        ("encode", "{plain}", "--data", "{pictures}", "--data-split", "all", "--out", "{out}.npz"),
        ("data: the model expects images of 1 channel, 8 x 8",),
    ),
    "score, suffix": (
        ("score", "{plain}", "--data", "digits", "--out", "{out}"),
        ("out: expected a name that ends in .npz or .parquet, got",),
    ),
    "score, samples": (
        (*("score", "{plain}", "--data", "digits"), "--out={out}.npz", "--importance-samples=-4"),
        ("importance_samples: expected at least 1, got -4",),
    ),
    "score, batch size": (
        ("score", "{plain}", "--data", "digits", "--out", "{out}.parquet", "--batch-size=-1"),
        ("batch_size: expected a number from 1, given -1",),
    ),
    "score into a folder": (
        ("score", "{plain}", "--data", "digits", "--out", "{tables}/folder.npz"),
        ("out: expected a file that can be written, got", "folder.npz"),
    ),
    "decode, no file": (
        ("decode", "{plain}", "--latents", "{out}.npz", "--out", "{out}.npz"),
        ("latents: expected a file, got", "out.npz', which is not one"),
    ),
    "decode, suffix of the latents": (
        ("decode", "{plain}", "--latents", "{file}", "--out", "{out}.npz"),
        ("latents: expected a name that ends in .npz or .parquet, got",),
    ),
    "decode, suffix": (
        ("decode", "{plain}", "--latents", "{tables}/wide.npz", "--out", "{out}.png"),
        ("out: expected a name that ends in .npz or .parquet, got",),
    ),
    "decode, no table": (
        ("decode", "{plain}", "--latents", "{tables}/text.parquet", "--out", "{out}.npz"),
        ("latents: expected a readable parquet file in", "text.parquet"),
    ),
    "decode, shape": (
        ("decode", "{plain}", "--latents", "{tables}/wide.npz", "--out", "{out}.npz"),
        ("latents: expected rows of 64 real numbers in 'latent', got float64 of shape (65,)",),
    ),
    "decode, type": (
        ("decode", "{plain}", "--latents", "{tables}/whole.npz", "--out", "{out}.npz"),
        ("latents: expected rows of 64 real numbers in 'latent', got int64",),
    ),
    "decode, column": (
        ("decode", "{plain}", "--latents", "{tables}/named.npz", "--out", "{out}.npz"),
        ("latents: expected a column 'latent', got z",),
    ),
    "decode, no rows": (
        ("decode", "{plain}", "--latents", "{tables}/none.npz", "--out", "{out}.npz"),
        ("latents: expected at least one row in", "got none"),
    ),
    "decode, no labels": (
        ("decode", "{run}", "--latents", "{tables}/good.npz", "--out", "{out}.parquet"),
        ("latents: expected a column 'label', as the model is class-conditional; got none",),
    ),
    "decode, labels of another set": (
        ("decode", "{run}", "--latents", "{tables}/labels.npz", "--out", "{out}.parquet"),
        ("label: expected 0 to 9, got",),
    ),
    "decode, labels that are none": (
        ("decode", "{run}", "--latents", "{tables}/real.npz", "--out", "{out}.parquet"),
        ("latents: expected whole numbers in 'label', got float64",),
    ),
    "decode, not finite": (
        ("decode", "{plain}", "--latents", "{tables}/nan.npz", "--out", "{out}.npz"),
        ("z: expected finite numbers",),
    ),
    "decode, batch size": (
        (
            *("decode", "{plain}", "--latents={tables}/good.npz"),
            "--out={out}.npz",
            "--batch-size=0",
        ),
        ("batch_size: expected a number from 1, got 0",),
    ),
    "decode under a file": (
        ("decode", "{plain}", "--latents", "{tables}/good.npz", "--out", "{file}/x.parquet"),
        ("out: expected a file that can be written, got", "file/x.parquet"),
    ),
    "export, no run": (
        ("export", "{out}", "--what", "encode", "--out", "{out}.pt2"),
        ("expected a folder with a trained model",),
    ),
    "export, suffix": (
        ("export", "{plain}", "--what", "encode", "--out", "{out}.pt"),
        ("out: expected a name that ends in .onnx or .pt2, got", "out.pt'"),
    ),
    "export, what": (
        ("export", "{plain}", "--what", "decode", "--out", "{out}.pt2"),
        ("what: expected one of 'log_prob', 'encode', 'sample', got 'decode'",),
    ),
    "export, nothing": (("export", "{plain}", "--out", "{out}.pt2"), ("required: what",)),
    "export under a file": (
        ("export", "{plain}", "--what", "encode", "--out", "{file}/x.pt2"),
        ("out: expected a file that can be written, got", "file/x.pt2"),
    ),
    "show none": (
        ("reconstruct", "{plain}", "--data", "digits", "--show", "0", "--out", "{out}.png"),
        ("show: expected at least 1, got 0",),
    ),
    **EACH,
    **ALONE,
    **OF_BENCH,
}


@pytest.fixture(scope="session")
def places(
    tmp_path_factory: pytest.TempPathFactory,
    run: Path,
    plain: Path,
    inpainter: Path,
    pictures: Path,
) -> dict[str, Path]:
    """What the cases name in braces."""
    root = tmp_path_factory.mktemp("errors")
    (root / "empty").mkdir()
    (root / "folder.png").mkdir()
    (root / "file").write_text("mine")
    texts = {
        "broken": "a: [1\n b",
        "list": "- 1\n",
        "misspelt": "model: {levels: 2, stepz: 3}\n",
        "section": "optimizer: {name: adam}\n",
        "nomodel": "model: {family: glwo}\n",
        "badvalue": "train: {max_steps: soon}\n",
    }
    for name, text in texts.items():
        (root / f"{name}.yaml").write_text(text)
    Image.fromarray(np.zeros((9, 7), np.uint8)).save(root / "nine.png")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(root / "eight.png")
    for index in range(11):
        for folder in (root / "grey", root / f"classes/{index:02}"):
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / f"{index}.png")
    _write_tables(root / "tables")
    write_published(root / "published")
    facts = (plain / "config.json").read_text()
    texts_of_models = {
        "noweights": facts,
        "pickled": facts,
        "absurd": facts.replace('"steps": 1', '"steps": 10000000'),
        "unread": "\x00\x01",
    }
    for name, text in texts_of_models.items():
        (root / name).mkdir()
        (root / name / "config.json").write_text(text)
    (root / "pickled/model.safetensors").write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    shutil.copy(plain / "model.safetensors", root / "absurd")
    for folder, sizes in {"mixed": 4 * (8, 9), "nines": (9, 9), "ruined": (8, 8)}.items():
        (root / folder).mkdir()
        for index, size in enumerate(sizes):
            Image.fromarray(np.zeros((size, size), np.uint8)).save(root / folder / f"{index}.png")
    (root / "ruined/1.png").write_text("no picture")
    (root / "lost").symlink_to(root / "nowhere")
    here = (
        "empty",
        "file",
        "folder",
        "grey",
        "classes",
        "mixed",
        "nines",
        "ruined",
        "lost",
        "published",
        "tables",
    )
    here += tuple(texts_of_models)
    return {
        **{name: root / name for name in here},
        **{name: root / f"{name}.yaml" for name in texts},
        **{"run": run, "plain": plain, "inpainter": inpainter, "pictures": pictures},
        **{"picture": root / "nine.png", "eight": root / "eight.png"},
    }


def _write_tables(folder: Path) -> None:
    """Latents for an 8 x 8 flow, good and bad."""
    (folder / "folder.npz").mkdir(parents=True)
    (folder / "text.parquet").write_text("text")
    good = np.zeros((2, 64))
    tables = {
        "good": {"latent": good},
        "wide": {"latent": np.zeros((2, 65))},
        "whole": {"latent": good.astype(np.int64)},
        "named": {"z": good},
        "none": {"latent": good[:0]},
        "labels": {"latent": good, "label": np.array([3, 10])},
        "real": {"latent": good, "label": np.array([3.0, 4.0])},
        "nan": {"latent": good * np.nan},
    }
    for name, columns in tables.items():
        np.savez(folder / f"{name}.npz", **columns)


@pytest.mark.parametrize("case", CASES)
def test_one_line_says_what_was_wrong(
    case: str, lambent: Run, places: dict[str, Path], tmp_path: Path
) -> None:
    arguments, words = CASES[case]
    said = lambent(*(a.format(**places, out=tmp_path / "out") for a in arguments))
    assert said.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    program = "lambent" if case.startswith("command") else f"lambent {arguments[0]}"
    assert said.err.startswith(f"{program}: error: ")
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err
    assert list(tmp_path.iterdir()) == []
    assert places["file"].read_text() == "mine"


def test_debug_shows_where(places: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match=r"^n: expected at least 1, got 0"):
        main(["sample", str(places["plain"]), "--out", "x.png", "--n", "0", "--debug"])


def test_nothing_asked_for(lambent: Run) -> None:
    said = lambent()
    assert said.code == 2
    assert said.out.startswith("usage: lambent")
