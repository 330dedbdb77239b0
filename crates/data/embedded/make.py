"""Writes digits.csv.gz and diabetes.csv from an installed scikit-learn: `python make.py`, last run with version 1.9.1."""

import gzip
import shutil
from importlib.resources import files
from pathlib import Path

SOURCE = files("sklearn.datasets.data")
HERE = Path(__file__).parent
COLUMNS = "age,sex,bmi,bp,s1,s2,s3,s4,s5,s6,progression"


def lines(name):
    return gzip.decompress(SOURCE.joinpath(name).read_bytes()).decode().split("\n")


def main():
    with SOURCE.joinpath("digits.csv.gz").open("rb") as packed:
        with open(HERE / "digits.csv.gz", "wb") as copy:
            shutil.copyfileobj(packed, copy)
    inputs = [line.split() for line in lines("diabetes_data_raw.csv.gz") if line]
    targets = [float(line) for line in lines("diabetes_target.csv.gz") if line]
    assert len(inputs) == len(targets) == 442
    rows = [",".join([*row, f"{target:g}"]) for row, target in zip(inputs, targets)]
    (HERE / "diabetes.csv").write_text("\n".join([COLUMNS, *rows]) + "\n")


main()
