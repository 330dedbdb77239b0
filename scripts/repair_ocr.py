#!/usr/bin/env python3
"""What does a cut take from the two networks that read pages (RapidOCR's), and what does `shrink --repair` give back?

    cargo build --release
    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements-ocr.txt
    .venv/bin/python scripts/repair_ocr.py [--work FOLDER] [--secateur PATH] [--pages N] [--tests N] [--lines N] [--crop SIDE]
                                           [--macs SHARE...] [--ways WAY...]

Draws pages with Pillow, words in several fonts, sizes and greys, blurred a little and with noise: --pages to repair on, and --tests of
other words to count on. The network that finds lines (det) is repaired on pages and the one that reads them (rec) on the --lines that are
found on these, prepared as RapidOCR prepares them; lines that are longer than what it takes at least (48 x 320) are left out. With --crop,
det is repaired on a drawn square of that side (a multiple of 32) of each page, which takes less time. Both are cut to shares of their
multiply-adds, and RapidOCR reads the test pages with both of them, and with each beside the given other one.

A word is right if it is read as it was drawn, letter by letter: on each page, words between spaces are matched with those that were drawn,
each with one at most and wherever they stand. False words are those that match none, in hundredths of the words drawn. Of the networks by
themselves: how far the places where det sees text overlap with those of the given one (intersection over union), and at which share of the
steps where the given rec sees a character the small one sees the same, both on test pages.

Fonts are those of FONTS that Pillow finds on the system and its own; they are named on standard error, and at least four must be there.
What --work (target/ocr) has already is not made again. Writes a table in Markdown to standard output, for docs/runs/repair-ocr.md.

Exit code 0: all well; 1: a run fails (the others are made); 2: usage.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime
import rapidocr_onnxruntime
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from rapidocr_onnxruntime import RapidOCR

ROOT = Path(__file__).resolve().parent.parent
MODELS = Path(rapidocr_onnxruntime.__file__).parent / "models"
GIVEN = {"det": MODELS / "ch_PP-OCRv4_det_infer.onnx", "rec": MODELS / "ch_PP-OCRv4_rec_infer.onnx"}
# What is typed for each way.
WAYS = {
    "none": ["--by", "l2", "--allocation", "even"],
    "statistics": ["--repair-by", "statistics", "--by", "l2", "--allocation", "even"],
    "formula": ["--by", "l2", "--allocation", "even"],
    "formula, reconstruction": [],
}
# Pages are of the size at which RapidOCR looks at them by itself.
SIDE = 736
HEIGHT, WIDTH = 48, 320
FONTS = """DejaVuSans DejaVuSans-Bold DejaVuSans-Oblique DejaVuSansCondensed DejaVuSansMono DejaVuSerif DejaVuSerif-Bold
LiberationSans-Regular LiberationSans-Bold LiberationSans-Italic LiberationSansNarrow-Regular LiberationSerif-Regular
LiberationSerif-Bold LiberationSerif-Italic LiberationMono-Regular""".split()
# Words of even places are repaired on, the others are counted on.
WORDS = """acorn amber anchor apple arrow autumn badge baker balance banner barrel basket beacon blanket blossom border bottle branch
breeze bridge bronze bucket button cabin cable camera candle canyon carbon carpet castle cellar chapel cherry circle citizen clover
coffee column copper cotton cousin cradle crystal curtain danger dealer desert dinner doctor dragon drawer eagle eastern echo
elbow engine evening fabric falcon farmer feather fiddle finger flavour forest fortune fountain frozen garden garlic gentle ginger glacier
golden granite gravel guitar hammer harbour harvest hazel helmet hollow honest hunter island ivory jacket jungle kettle kitchen ladder
lantern leather lemon letter linen lizard lumber magnet maple marble market meadow melon mirror monkey morning mountain museum mustard
napkin narrow needle nephew northern notebook number oatmeal object ocean olive orange orchard oven oyster paddle palace paper parcel
pepper piano pigeon pillow planet pocket polish potato powder quarter quiet rabbit radish railway ribbon river rocket rubber saddle
salmon sandal school season shadow shelter silver sister spider spring squirrel station stone summer sunset table tailor temple thunder
ticket timber tomato tunnel turtle umbrella uncle valley velvet village violin walnut water weather whisper willow window winter wisdom
wonder yellow yogurt zebra""".split()


def found_fonts():
    found = []
    for name in FONTS:
        try:
            ImageFont.truetype(f"{name}.ttf", 20)
            found.append(name)
        except OSError:
            pass
    return found


def font(name, size):
    return ImageFont.truetype(f"{name}.ttf", size) if name else ImageFont.load_default(size)


def word(rng, words):
    if rng.random() < 0.1:
        return str(rng.integers(10, 10000))
    plain = words[rng.integers(len(words))]
    form = rng.random()
    return plain.upper() if form < 0.1 else plain.capitalize() if form < 0.3 else plain


def page(rng, words, fonts):
    """A page and the words on it."""
    paper = int(rng.integers(170, 256))
    image = Image.new("L", (SIDE, SIDE), paper)
    draw = ImageDraw.Draw(image)
    drawn, top = Counter(), int(rng.integers(8, 40))
    while True:
        # None is the font that Pillow has itself.
        name = [None, *fonts][rng.integers(1 + len(fonts))]
        face = font(name, int(rng.integers(16, 41)))
        high = sum(face.getmetrics())
        if top + high > SIDE - 8:
            break
        line = [word(rng, words) for _ in range(rng.integers(1, 5))]
        # The given network often leaves a space of common width out; these are lines of their own, as a rule.
        gaps = [int(face.size * rng.uniform(1.5, 3)) for _ in line]
        widths = [int(face.getlength(text)) + gap for text, gap in zip(line, gaps)]
        while sum(widths) > SIDE - 24:
            line.pop(), widths.pop()
        left, ink = int(rng.integers(10, SIDE - 12 - sum(widths))), int(rng.integers(0, paper - 100))
        for text, width in zip(line, widths):
            draw.text((left, top), text, fill=ink, font=face)
            left += width
        drawn.update(line)
        top += high + int(rng.integers(6, 40))
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.8)))
    noise = rng.normal(0, rng.uniform(1, 10), (SIDE, SIDE))
    pixels = np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)
    return np.stack([pixels] * 3, axis=2), drawn


def pages(seed, count, words, fonts):
    return [page(np.random.default_rng([seed, at]), words, fonts) for at in range(count)]


def as_detected(engine, picture):
    """A page as det sees it."""
    return engine.text_det.get_preprocess(max(picture.shape[:2]))(picture)


def as_read(engine, picture):
    """The lines of a page as rec sees them."""
    boxes, _ = engine.auto_text_det(picture)
    if boxes is None:
        return []
    lines = engine.text_cls(engine.get_crop_img_list(picture, boxes))[0]
    fitting = [line for line in lines if line.shape[1] * HEIGHT <= WIDTH * line.shape[0]]
    return [engine.text_rec.resize_norm_img(line, WIDTH / HEIGHT) for line in fitting]


def arrays(folder, name, made_of, limits, crop=SIDE):
    """What the two networks see of pages, in one file for each."""
    paths = {kind: folder / f"{name}-{kind}.npy" for kind in GIVEN}
    if not all(path.exists() for path in paths.values()):
        engine, rng = RapidOCR(), np.random.default_rng(3)
        rows = {"det": [], "rec": []}
        for picture, _ in made_of:
            top, left = rng.integers(0, SIDE - crop + 1, 2)
            rows["det"].append(as_detected(engine, picture)[0, :, top : top + crop, left : left + crop])
            rows["rec"].extend(as_read(engine, picture))
        for kind, path in paths.items():
            own, limit = rows[kind], limits[kind]
            # As many from each page.
            places = np.linspace(0, len(own) - 1, min(limit, len(own))).round().astype(int)
            np.save(path, np.stack([own[at] for at in places]))
    return paths


def answers(path, rows):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    for row in rows:
        yield session.run(None, {name: row[None]})[0]


def likeness(kind, path, inputs):
    """How alike what a small network makes of some inputs is to what the given one makes."""
    same = all_places = 0
    for want, have in zip(answers(GIVEN[kind], inputs), answers(path, inputs)):
        if kind == "det":
            want, have = want > 0.3, have > 0.3
            same, all_places = same + (want & have).sum(), all_places + (want | have).sum()
        else:
            want, have = want.argmax(2), have.argmax(2)
            same, all_places = same + ((want == have) & (want != 0)).sum(), all_places + (want != 0).sum()
    return 100 * float(same) / max(1, int(all_places))


def count(made_of, **models):
    """Right and false words in hundredths of those that were drawn."""
    engine = RapidOCR(**{f"{kind}_model_path": str(path) for kind, path in models.items()})
    right = false = drawn = 0
    for picture, words in made_of:
        lines, _ = engine(picture)
        read = Counter(word for line in lines or [] for word in line[1].split())
        both = (read & words).total()
        right, false, drawn = right + both, false + read.total() - both, drawn + words.total()
    return 100 * right / drawn, 100 * false / drawn


def once(path, make):
    """What `make` tells, of which a file keeps what it told before."""
    if not path.exists():
        path.write_text(json.dumps(make()))
    return json.loads(path.read_text())


def cut(secateur, kind, share, way, out, inputs, crop):
    told = out.with_suffix(".json")
    if not (out.exists() and told.exists()):
        repair = [] if way == "none" else ["--repair", f"x={inputs}"]
        size = f"{crop}x{crop}" if kind == "det" else f"{HEIGHT}x{WIDTH}"
        flags = ["--macs", f"{share}%", *repair, "--shape", f"x=1x3x{size}", *WAYS[way], "--force", "--json"]
        start = time.monotonic()
        command = [str(secateur), "shrink", str(GIVEN[kind]), *flags, "-o", str(out)]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            print(f"{' '.join(command)}\n{made.stderr}", file=sys.stderr, flush=True)
            return None
        record = json.loads(made.stdout)
        kept = {key: record[key] for key in ("macs", "params", "repair")}
        told.write_text(json.dumps(kept | {"seconds": time.monotonic() - start}))
    return json.loads(told.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "target/ocr")
    parser.add_argument("--secateur", type=Path, default=ROOT / "target/release/secateur")
    parser.add_argument("--pages", type=int, default=64)
    parser.add_argument("--tests", type=int, default=40)
    parser.add_argument("--lines", type=int, default=512)
    parser.add_argument("--crop", type=int, default=SIDE)
    parser.add_argument("--macs", nargs="+", type=int, default=[85, 70])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    args = parser.parse_args()
    if args.crop % 32 or not 32 <= args.crop <= SIDE:
        parser.error("--crop is a multiple of 32, of the side of a page at most")
    fonts = found_fonts()
    print(f"fonts: Pillow's own, {', '.join(fonts)}", file=sys.stderr, flush=True)
    if len(fonts) < 4:
        sys.exit("too few fonts: install DejaVu or Liberation")
    folder = args.work / f"{args.pages}-{args.lines}-{args.crop}"
    folder.mkdir(parents=True, exist_ok=True)
    calibration = pages(1, args.pages, WORDS[::2], fonts)
    tests = pages(2, args.tests, WORDS[1::2], fonts)
    inputs = arrays(folder, "calibration", calibration, {"det": args.pages, "rec": args.lines}, args.crop)
    seen = arrays(folder, f"tests-{args.tests}", tests, {"det": 16, "rec": 128})
    seen = {kind: np.load(path, mmap_mode="r") for kind, path in seen.items()}

    def counted(name, **models):
        return once(folder / f"counted-{args.tests}-{name}.json", lambda: count(tests, **models))

    heads = ["MACs of det and rec, %", "repair", "right words %", "false words %", "right with det alone %", "right with rec alone %"]
    heads += ["overlap of det %", "same steps of rec %", "minutes for det and rec"]
    print(f"| {' | '.join(heads)} |\n|---|---|{'---:|' * (len(heads) - 2)}")
    right, false = counted("given")
    print(f"| 100, 100 | - | {right:.1f} | {false:.1f} | - | - | 100 | 100 | - |", flush=True)
    is_well = True
    for share in args.macs:
        for way in args.ways:
            name = f"{share}-{list(WAYS).index(way)}"
            small, left, took, alone, alike = {}, [], [], [], []
            for kind in GIVEN:
                out = folder / f"{kind}-{name}.onnx"
                record = cut(args.secateur, kind, share, way, out, inputs[kind], args.crop)
                if record is None:
                    for column in (left, took, alone, alike):
                        column.append("fails")
                    is_well = False
                    continue
                small[kind] = out
                left.append(f"{100 * record['macs']['after'] / record['macs']['before']:.1f}")
                took.append(f"{record['seconds'] / 60:.1f}")
                alone.append(f"{counted(f'{kind}-{name}', **{kind: out})[0]:.1f}")
                alike.append(f"{once(folder / f'alike-{args.tests}-{kind}-{name}.json', lambda: likeness(kind, out, seen[kind])):.1f}")
            both = [f"{part:.1f}" for part in counted(f"both-{name}", **small)] if len(small) == 2 else ["-", "-"]
            cells = [", ".join(left), way, *both, *alone, *alike, ", ".join(took)]
            print(f"| {' | '.join(cells)} |", flush=True)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
