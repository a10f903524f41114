"""Bad inputs that several commands take alike, against each of those commands."""

from __future__ import annotations

Case = tuple[tuple[str, ...], tuple[str, ...]]
"""What was asked for, and words that the one line on standard error holds."""

# Commands by what they take; `*` is where the bad input goes.
WITH_RUN = {
    "evaluate": ("evaluate", "*", "--data", "digits"),
    "sample": ("sample", "*", "--out", "{out}.png"),
    "reconstruct": ("reconstruct", "*", "--data", "digits", "--out", "{out}.png"),
    "interpolate": ("interpolate", "*", "{eight}", "{eight}", "--out", "{out}.png"),
    "encode": ("encode", "*", "--data", "digits", "--out", "{out}.npz"),
    "score": ("score", "*", "--data", "digits", "--out", "{out}.npz"),
    "export": ("export", "*", "--what", "encode", "--out", "{out}.pt2"),
}
WITH_DATA = {
    "train": ("train", "--data", "*", "--out", "{out}"),
    "evaluate": ("evaluate", "{plain}", "--data", "*", "--data-split=all"),
    "reconstruct": ("reconstruct", "{plain}", "--data", "*", "--data-split=all", "--out={out}.png"),
    "check": ("info", "{plain}", "--check", "--data", "*", "--data-split=all"),
    "conditioning": ("info", "{plain}", "--conditioning", "--data", "*", "--data-split=all"),
    "encode": ("encode", "{plain}", "--data", "*", "--data-split=all", "--out", "{out}.npz"),
    "score": ("score", "{plain}", "--data", "*", "--data-split=all", "--out", "{out}.npz"),
}
MODEL_COMMANDS = ("evaluate", "reconstruct", "check", "conditioning", "encode", "score")
WITH_MODEL = {name: WITH_DATA[name] for name in MODEL_COMMANDS}
WITH_PICTURES = {
    "first": ("interpolate", "{plain}", "*", "{eight}", "--out", "{out}.png"),
    "last": ("interpolate", "{plain}", "{eight}", "*", "--out", "{out}.png"),
}
WITH_PICTURE_OUT = {
    "sample": ("sample", "{plain}", "--n=1", "--out", "*"),
    "reconstruct": ("reconstruct", "{plain}", "--data", "digits", "--n=1", "--out", "*"),
    "interpolate": ("interpolate", "{plain}", "{eight}", "{eight}", "--out", "*"),
}
WITH_SEED = {
    "train": ("train", "--data", "digits", "--out", "{out}", "*"),
    "evaluate": ("evaluate", "{plain}", "--data", "digits", "*"),
    "sample": ("sample", "{plain}", "--out", "{out}.png", "*"),
    "reconstruct": ("reconstruct", "{plain}", "--data", "digits", "--out", "{out}.png", "*"),
    "interpolate": ("interpolate", "{plain}", "{eight}", "{eight}", "--out", "{out}.png", "*"),
    "check": ("info", "{plain}", "--check", "*"),
    "conditioning": ("info", "{plain}", "--conditioning", "*"),
}
WITH_LABEL = {name: WITH_SEED[name] for name in ("sample", "interpolate")}
OF_A_MODEL = {"train": WITH_SEED["train"], "info": ("info", "glow", "--data-size=8", "*")}

NO_MODEL = "run: {}: expected a folder with a trained model"

TABLE: tuple[tuple[str, dict[str, tuple[str, ...]], str, tuple[str, ...]], ...] = (
    ("no run", WITH_RUN, "{out}", ("run: ", "out: expected a folder with", "digits-demo")),
    ("no such name", WITH_RUN, "digts", ("run: digts: expected a folder with", "(digits-demo)")),
    ("empty run", WITH_RUN, "{empty}", ("run: ", "found no config.json")),
    ("run of data", WITH_RUN, "{pictures}", ("run: ", "found no config.json")),
    ("run is a file", WITH_RUN, "{file}", ("run: ", "file: expected a folder with")),
    ("run is a lost link", WITH_RUN, "{lost}", ("run: ", "lost: expected a folder with")),
    ("no data", WITH_DATA, "{out}/no", ("data: expected 'digits', a folder", "no such path")),
    ("data of a hub", WITH_DATA, "user/set", ("data: expected 'digits', a folder", "no such path")),
    ("empty data", WITH_DATA, "{empty}", ("data: expected", "neither pictures nor parquet")),
    ("data is a text", WITH_DATA, "{file}", ("data: expected 'digits', a folder", "file'")),
    ("data is a lost link", WITH_DATA, "{lost}", ("data: expected 'digits', a folder",)),
    ("broken picture", WITH_DATA, "{ruined}", ("expected a readable picture", "ruined/1.png")),
    (
        "mixed sizes",
        WITH_DATA,
        "{mixed}",
        ("data: expected", "first is, given 9 x 9", "--data-size"),
    ),
    ("channels", WITH_MODEL, "{pictures}", ("data: the model expects images of 1 channel",)),
    ("size", WITH_MODEL, "{nines}", ("data: the model expects images of 1 channel, 8 x 8",)),
    ("no picture", WITH_PICTURES, "{out}.png", ("expected a readable picture", "No such file")),
    ("picture is a text", WITH_PICTURES, "{file}", ("expected a readable picture", "file")),
    ("picture is a folder", WITH_PICTURES, "{empty}", ("expected a readable picture", "empty")),
    ("picture of no size", WITH_PICTURES, "{picture}", ("expected a picture of 8 x 8", "9 x 7")),
    ("out under a file", WITH_PICTURE_OUT, "{file}/x.png", ("out: expected a picture file",)),
    ("out is a folder", WITH_PICTURE_OUT, "{folder}.png", ("out: expected a picture file",)),
    ("out in the kernel", WITH_PICTURE_OUT, "/proc/x.png", ("out: expected a picture file",)),
    ("out of no kind", WITH_PICTURE_OUT, "{out}.xyz", ("out: expected a picture file", ".xyz")),
    ("seed", WITH_SEED, "--seed=-1", ("seed: expected a number from 0, got -1",)),
    ("seed, a word", WITH_SEED, "--seed=x", ("seed: expected int, got 'x'",)),
    ("device", WITH_SEED, "--device=tpu", ("device: expected one of 'auto'", "got 'tpu'")),
    ("key", WITH_SEED, "--sed=1", ("unknown '--sed'", "did you mean '--seed'")),
    ("too many", WITH_SEED, "more", ("unrecognized arguments: more",)),
    ("label", WITH_LABEL, "--label=3", ("label: the model is not class-conditional, got 3",)),
    ("label, a word", WITH_LABEL, "--label=three", ("label: expected int", "'three'")),
    ("no grey", OF_A_MODEL, "--model.grey_levels=0", ("grey_levels: expected 2 to 256, got 0",)),
    ("grey", OF_A_MODEL, "--model.grey_levels=300", ("grey_levels: expected 2 to 256, got 300",)),
    ("levels", OF_A_MODEL, "--model.levels=0", ("levels: expected", "0")),
    ("model key", OF_A_MODEL, "--model.levles=2", ("did you mean '--model.levels'",)),
)

EACH: dict[str, Case] = {
    f"{name}, {command}": (tuple(bad if a == "*" else a for a in asked), words)
    for name, commands, bad, words in TABLE
    for command, asked in commands.items()
}

TRAIN = ("train", "--data", "digits", "--out", "{out}")
ALONE: dict[str, Case] = {
    "optimiser": ((*TRAIN, "--train.optimizer=adm"), ("train.optimizer: expected one of", "'adm'")),
    "workers, a word": ((*TRAIN, "--workers=x"), ("workers: expected int, got 'x'",)),
    "rate": ((*TRAIN, "--train.learning_rate=-1"), ("learning_rate: expected", "-1")),
    "time": ((*TRAIN, "--train.max_minutes=-1"), ("max_minutes: expected", "-1")),
    "out in the kernel": (
        ("train", "--data", "digits", "--out", "/proc/run", "--model.steps=1"),
        ("out: expected a folder that can be written, got '/proc/run'",),
    ),
    "temperature, a word": (
        ("sample", "{plain}", "--out", "{out}.png", "--temperature=hot"),
        ("temperature: expected float, got 'hot'",),
    ),
    "temperature, no number": (
        ("sample", "{plain}", "--out", "{out}.png", "--temperature=nan"),
        ("temperature: expected float, got 'nan'",),
    ),
    "temperature, endless": (
        ("sample", "{plain}", "--out", "{out}.png", "--temperature=inf"),
        ("temperature: expected float, got 'inf'",),
    ),
    "reconstruct fewer than none": (
        ("reconstruct", "{plain}", "--data=digits", "--n=-3", "--out={out}.png"),
        ("n: expected at least 1, got -3",),
    ),
    "label too large to interpolate": (
        ("interpolate", "{run}", "{eight}", "{eight}", "--label=10", "--out={out}.png"),
        ("label: expected 0 to 9, got 10",),
    ),
    "check none": (("info", "{plain}", "--check", "--n=0"), ("n: expected at least 1, got 0",)),
    "check of a preset": (("info", "glow_digits", "--check"), ("check: expected a run folder",)),
    "data and no check": (
        ("info", "{plain}", "--data=digits"),
        ("data: read with --check or --conditioning alone, got 'digits' without",),
    ),
    "conditioning of none": (
        ("info", "{plain}", "--conditioning", "--n=0"),
        ("n: expected at least 1, got 0",),
    ),
    "conditioning of a preset": (
        ("info", "glow_digits", "--conditioning"),
        ("conditioning: expected a run folder, got 'glow_digits'",),
    ),
    "conditioning and check": (
        ("info", "{plain}", "--conditioning", "--check"),
        ("conditioning: expected one of --check and --conditioning, got both",),
    ),
    "conditioning, out of no kind": (
        ("info", "{plain}", "--conditioning", "--n=1", "--out={out}.jpg"),
        ("out: expected a name that ends in .png, got",),
    ),
    "conditioning, out under a file": (
        ("info", "{plain}", "--conditioning", "--n=1", "--out={file}/x.png"),
        ("out: expected a file that can be written, got", "file/x.png"),
    ),
    "conditioning of an inpainter's own draws": (
        ("info", "{inpainter}", "--conditioning"),
        ("data: the model is conditional on images; expected a set, got none",),
    ),
    "out and no conditioning": (
        ("info", "{plain}", "--out={out}.png"),
        ("out: written with --conditioning alone, got",),
    ),
    "info of nothing": (
        ("info", "{out}"),
        ("what: expected a run folder, pretrained model, preset or family",),
    ),
    "info of a file": (
        ("info", "{file}"),
        (
            "what: ",
            "file: expected a folder with a trained",
        ),
    ),
    "info of a pretrained model, misspelt": (
        ("info", "digits-dmo"),
        ("what: expected", "did you mean 'digits-demo'"),
    ),
    "info of no batch": (
        ("info", "glow", "--data-size=8", "--batch-size=0"),
        ("batch-size: expected", "0"),
    ),
    "info of a size of no level": (
        ("info", "glow", "--data-size=9", "--batch-size=1"),
        ("levels", "9 x 9"),
    ),
}
