# The data for the scripts beside this file, which count without it: pixels from 0 to 1, and labels.
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))

import torch  # noqa: E402
import works  # noqa: E402


def load(rows=None):
    data = works.mnist()
    x, x_test = (torch.from_numpy(part.reshape(-1, 784)).float() / 255 for part in (data.x, data.x_test))
    return x[:rows], torch.from_numpy(data.y)[:rows], x_test, torch.from_numpy(data.y_test)
