"""`antisite detect`: images in, defects out."""

from __future__ import annotations

from ..run.settings import Settings
from . import options as o

DEFAULTS = Settings()

EPILOG = """Examples:

antisite detect field.dm4

antisite detect *.tif --lattice-constant 3.32 --out doped --workers 4

antisite detect ADF1.dm4 --also ADF2.dm4 --region 0:512,0:400

DIR/<stem>/ then holds report.html, overlay.png, defects.csv, sites.csv (both also .parquet) and result.json.
"""


def detect(
    files: o.Files,
    signal: o.Signal = "",
    frame: o.Frame = None,
    sum_frames: o.Sum = False,
    also: o.Also = None,
    region: o.RegionText = None,
    mask: o.Mask = None,
    pixel_size: o.PixelSize = None,
    lattice_constant: o.LatticeConstant = None,
    fdr: o.Fdr = DEFAULTS.fdr,
    seed: o.Seed = DEFAULTS.seed,
    out: o.Out = o.DEFAULT_OUT,
    overwrite: o.Overwrite = False,
    workers: o.Workers = 1,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Find the defects of images: a table, a picture and a report of each.

    Nothing needs to be trained, labelled or tuned. Without a scale, densities are per site.
    """
    reading = o.reading(
        files,
        signal=signal,
        frame=frame,
        sum_frames=sum_frames,
        also=also,
        region=region,
        mask=mask,
        pixel_size=pixel_size,
    )

    from ..run.detection import DetectFile
    from .follow import debugging, finish, follow, refuse_unusable
    from .show import detect_text

    refuse_unusable(files, out=out, overwrite=overwrite)
    work = DetectFile(
        out=out,
        overwrite=overwrite,
        reading=reading,
        settings=Settings(fdr=fdr, seed=seed),
        lattice_constant=o.known(lattice_constant),
    )
    outcomes = follow(files, work, workers=workers, bar=not (as_json or quiet), debug=debugging())
    finish(outcomes, text=detect_text, as_json=as_json, quiet=quiet)
