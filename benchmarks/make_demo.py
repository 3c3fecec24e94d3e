"""Write the image that ships with the package, and what is really in it.

    python benchmarks/make_demo.py

The same seed gives the same bytes.
"""

from pathlib import Path

import numpy as np
import tifffile

from antisite.simulate.sketch.image import sketch_image
from antisite.simulate.truth.truth import write_truth

FOLDER = Path(__file__).parents[1] / "src" / "antisite" / "data"
PIXEL_SIZE = 0.2  # Å


def make_demo(folder: Path) -> None:
    """Write demo_wse2.tif (8 bit, ImageJ calibration) and demo_wse2.truth.json."""
    image, truth = sketch_image(
        "wse2",
        shape=(384, 384),
        pixel_size=PIXEL_SIZE,
        rotation=0.21,
        blur=0.38,
        dose=4e4,
        vacancies=0.003,
        partial_vacancies=0.025,
        dim_sites=0.014,
        bright_sites=0.003,
        interstitials=0.003,
        drift=1.5,
        jitter=0.15,
        contamination=0.2,
        bits=8,
        rng=2,
    )
    per_micron = 1e4 / PIXEL_SIZE  # of ImageJ's units, RosettaSciIO reads micrometres only
    tifffile.imwrite(
        folder / "demo_wse2.tif",
        image.pixels.astype(np.uint8),
        imagej=True,
        resolution=(per_micron, per_micron),
        metadata={"unit": "micron"},
    )
    write_truth(truth, folder / "demo_wse2.truth.json", image="demo_wse2.tif")


if __name__ == "__main__":
    make_demo(FOLDER)
