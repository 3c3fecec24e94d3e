"""`antisite detect`: images in, defects out."""

from __future__ import annotations

from . import options as o

EPILOG = """Examples:

antisite detect field.dm4

antisite detect *.tif --lattice-constant 3.32 --out doped --workers 4

antisite detect ADF1.dm4 --also ADF2.dm4 --region 0:512,0:400

antisite detect field.dm4 --fdr 0.01 --save-settings run.toml

DIR/<stem>/ then holds report.html, overlay.png, defects.csv, sites.csv (both also .parquet) and result.json.
"""


def detect(
    files: o.Files,
    signal: o.Signal = None,
    frame: o.Frame = None,
    sum_frames: o.Sum = None,
    also: o.Also = None,
    region: o.RegionText = None,
    mask: o.Mask = None,
    pixel_size: o.PixelSize = None,
    lattice_constant: o.LatticeConstant = None,
    method: o.MethodName = None,
    fdr: o.Fdr = None,
    min_dark: o.MinDark = None,
    min_bright: o.MinBright = None,
    patterson_input: o.PattersonInput = None,
    patterson_model: o.PattersonModel = None,
    planar: o.Planar = None,
    self_check: o.SelfCheck = None,
    seed: o.Seed = None,
    settings: o.SettingsFile = None,
    save_settings: o.SaveSettings = None,
    out: o.Out = o.DEFAULT_OUT,
    overwrite: o.Overwrite = False,
    workers: o.Workers = 1,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Find the defects of images: a table, a picture and a report of each.

    Nothing needs to be trained, labelled or tuned. Without a scale, densities are per site.
    """
    given = o.given(locals())

    from ..run.detection import DetectFile
    from .choose import choose, save
    from .follow import debugging, finish, follow, refuse_unusable
    from .show import detect_text

    values = choose(given, files=files, settings=settings)
    refuse_unusable(files, out=out, overwrite=overwrite)
    save(values, save_settings, overwrite=overwrite)
    work = DetectFile.chosen(values, out=out, overwrite=overwrite)
    outcomes = follow(files, work, workers=workers, bar=not (as_json or quiet), debug=debugging())
    finish(outcomes, text=detect_text, as_json=as_json, quiet=quiet)
