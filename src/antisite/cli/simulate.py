"""`antisite simulate`: a specimen in, its image and the truth about it out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import typer

from . import options as o
from . import simulate_choices as c
from . import simulate_options as s

EPILOG = """Examples:

antisite simulate --list

antisite simulate WSe2 --dopant V:0.02 --vacancy Se:0.01 --dose 1e4 --seed 1

antisite simulate WSe2 --like field.dm4 --vacancy Se:0.02

antisite simulate WSe2 --dopant V:0.05 --dose 1e4 --count 64 --format zarr --workers 2

antisite simulate model.xyz --periodic --static --detector 60 200 --shape 240 208 --out model

DIR/<specimen>/ then holds the image as .tif and .hspy, truth.json, picture.png and simulation.json;
many fields go to DIR/<specimen>_fields/.
"""


_HOW = ("cache", "workers", "out", "overwrite", "as_json", "quiet")


def simulate(
    specimen: s.Specimen = None,
    list_: s.List = False,
    zone_axis: s.ZoneAxis = None,
    thickness: s.Thickness = None,
    size: s.Size = None,
    shape: s.Shape = None,
    pixel_size: s.PixelSize = None,
    rotation: s.Rotation = None,
    like: s.Like = None,
    lattice_constant: s.LatticeConstant = None,
    periodic: s.Periodic = False,
    vacancy: s.Vacancy = None,
    column_vacancy: s.ColumnVacancy = None,
    dopant: s.Dopant = None,
    antisite: s.Antisite = None,
    adatom: s.Adatom = None,
    interstitial: s.Interstitial = None,
    complexes: s.Complex = None,
    beam_energy: s.BeamEnergy = None,
    convergence: s.Convergence = None,
    detector: s.Detector = None,
    bright_field: s.BrightField = None,
    defocus: s.Defocus = None,
    cs: s.Cs = None,
    source_size: s.SourceSize = None,
    static: s.Static = None,
    dose: s.Dose = None,
    noiseless: s.Noiseless = False,
    drift: s.Drift = None,
    jitter: s.Jitter = None,
    flyback: s.Flyback = None,
    contamination: s.ContaminationShare = None,
    gain: s.Gain = None,
    offset: s.Offset = None,
    read_noise: s.ReadNoise = None,
    bits: s.Bits = None,
    count: s.Count = None,
    layout: s.Layout = None,
    patch: s.Patch = None,
    scheduler: s.Scheduler = None,
    seed: s.Seed = None,
    cache: s.Cache = None,
    workers: s.Workers = 1,
    out: o.Out = o.DEFAULT_OUT,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Simulate an image from the atoms of a specimen, with defects of known place and kind.

    What the beam does in every column is computed once by multislice and kept; then an image takes moments.
    """
    given = c.given_options(locals())
    if list_:
        _list_specimens(as_json)
        return

    from ..io.tables import to_json
    from ..run.batch import check_output
    from .follow import counted
    from .show_simulated import fields_text, simulated_text

    work = _chosen_work({name: value for name, value in given.items() if name not in _HOW})
    check_output(out)
    how: dict[str, Any] = {"cache": cache or cache_folder(), "workers": workers}
    if sys.stderr.isatty() and not (as_json or quiet):
        how |= {"progress": partial(counted, words="tables of columns")}
        how |= {"count_done": counted} if count else {}
    try:
        # what else can be wrong with an image to be matched is not of the options
        with nullcontext() if like else c.usage_unless_unreadable(str(specimen)):
            folder, summary = work(out=out, overwrite=overwrite, **how)
    except MemoryError as error:
        raise o.UsageError(
            "the image must fit into memory, and there is too little (make it smaller)"
        ) from error
    for caution in summary["warnings"]:
        typer.echo(f"antisite: warning: {caution}", err=True)
    if as_json:
        typer.echo(to_json({"folder": str(folder), **summary}), nl=False)
    elif not quiet:
        typer.echo((simulated_text if count is None else fields_text)(folder, summary))


def cache_folder() -> Path:
    """Where this system keeps what programs can compute again."""
    home = Path.home()
    if sys.platform == "win32":
        place = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        place = home / "Library" / "Caches"
    else:
        place = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return place / "antisite"


def _chosen_work(given: dict[str, Any]) -> Callable[..., tuple[Path, dict[str, Any]]]:
    """What the options ask for, as a call that lacks only the output."""
    from ..run.simulated_fields import run_fields
    from ..run.simulation_runs import run_simulation, run_structure, run_twin

    if not given.get("specimen"):
        raise o.UsageError("a simulation needs a SPECIMEN (antisite simulate --list names those it knows)")
    if "periodic" in given and "like" in given:
        raise o.UsageError("--periodic and --like exclude each other (give one of them)")
    if "count" not in given:
        c.refuse_others(given, set(given) - set(c.FOR_FIELDS), "without --count")
    if "periodic" in given:
        c.refuse_others(given, c.FOR_PERIODIC, "with --periodic")
        return partial(run_structure, **c.chosen_structure(given))
    if "count" in given:
        c.refuse_others(given, set(given) - {"like", "lattice_constant"}, "with --count")
        return partial(run_fields, c.chosen_simulation(given), **c.chosen_fields(given))
    if "like" in given:
        c.refuse_others(given, c.FOR_LIKE, "with --like, which finds it in the image")
        return partial(run_twin, **c.chosen_twin(given))
    c.refuse_others(given, set(given) - {"lattice_constant"}, "without --like")
    return partial(run_simulation, c.chosen_simulation(given))


def _list_specimens(as_json: bool) -> None:
    from ..simulate.crystals.library import list_specimens
    from .show_simulated import specimen_table

    rows = list_specimens()
    if as_json:
        from ..io.tables import to_json

        names = ("name", "words", "cell", "columns")
        typer.echo(to_json([dict(zip(names, row, strict=True)) for row in rows]), nl=False)
        return
    from rich.console import Console

    Console().print(specimen_table(rows))
