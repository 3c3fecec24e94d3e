"""`antisite inspect`: what a file says, and what lattice is seen in it."""

from __future__ import annotations

import math

from . import options as o

EPILOG = """Examples:

antisite inspect field.dm4

antisite inspect field.dm4 --lattice-constant 3.32

A picture of the motif is left in DIR/<stem>/inspect.png; 'antisite detect' may write beside it.
"""


def inspect(
    files: o.Files,
    signal: o.Signal = None,
    frame: o.Frame = None,
    sum_frames: o.Sum = None,
    also: o.Also = None,
    region: o.RegionText = None,
    mask: o.Mask = None,
    pixel_size: o.PixelSize = None,
    lattice_constant: o.LatticeConstant = None,
    settings: o.SettingsFile = None,
    out: o.Out = o.DEFAULT_OUT,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Say what files hold and what lattice is seen, before looking for defects.

    From the file: signals, shape, scale and microscope settings.
    From the image: lattice vectors, sublattices, coherence, and whether the lattice constant fits the scale.
    Of a settings file only the table `read` matters here.
    """
    given = o.given(locals())

    from ..run.inspection import InspectFile
    from ..run.reading import Reading
    from .choose import choose
    from .follow import debugging, finish, follow, refuse_unusable
    from .show_lattice import inspect_text

    values = choose(given, files=files, settings=settings)
    refuse_unusable(files, out=out)
    work = InspectFile(
        out=out,
        reading=Reading.chosen(values),
        lattice_constant=values.get("lattice_constant", math.nan),
    )
    outcomes = follow(files, work, bar=not (as_json or quiet), debug=debugging())
    finish(outcomes, text=inspect_text, as_json=as_json, quiet=quiet)
