"""`antisite evaluate`: how good one result is, against labels."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from ..evaluate.scores import Scores


def evaluate(
    result_dir: Annotated[
        Path, typer.Argument(metavar="RESULT_DIR", help="Folder of one image, as `antisite detect` wrote it.")
    ],
    truth: Annotated[Path, typer.Option(metavar="FILE", help="Label file (JSON) of the same image.")],
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print the scores as JSON, nothing else.")
    ] = False,
) -> None:
    """Compare a result with labels: precision, recall, F1, area under ROC, localisation, kinds."""
    scores, pixel_size = _score_folder(result_dir, truth)
    if as_json:
        typer.echo(json.dumps(scores_as_json(scores, pixel_size=pixel_size), ensure_ascii=False, indent=2))
        return
    from rich.console import Console

    console = Console()
    console.print(score_table(scores, pixel_size=pixel_size))
    console.print(confusion_table(scores))
    console.print(_left_out_line(scores))


def _score_folder(folder: Path, truth: Path) -> tuple[Scores, float]:
    from ..errors import InputError, NoLatticeError
    from ..evaluate.scores import evaluate_result
    from ..io.annotations import labelled_images, read_annotations
    from ..io.results import read_tables

    sites, defects, summary = read_tables(folder)
    labels = read_annotations(truth)
    if len(labels) and (labels["path"] != "").all():
        raise InputError(
            f"a label file must hold points (x, y) to be scored, got only lines in {truth.name} "
            f"(lines are not scored)"
        )
    _warn_of_another_image(labelled_images(truth), str(summary.get("image") or ""), truth)
    if summary.get("lattice_found") is False:
        raise NoLatticeError(
            f"a result must hold a lattice to be scored, "
            f"got none in {folder.name}: {summary.get('reason', '')}"
        )
    try:
        largest = summary["grains"][0]
        nn, a = float(largest["nn"]), math.sqrt(largest["lattice"]["cell_area"])
        height, width = summary["shape"]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"a result must hold its lattice and shape to be scored, "
            f"got a result.json without them in {folder.name} (run detect again)"
        ) from error
    scores = evaluate_result(sites, defects, labels, nn=nn, a=a, shape=(height, width))
    return scores, float(summary.get("pixel_size") or math.nan)


def _warn_of_another_image(labelled: Sequence[str], image: str, truth: Path) -> None:
    """Say so where the labels are those of an image of another name; its suffix does not matter."""
    if image and labelled and Path(image).stem not in [Path(name).stem for name in labelled]:
        typer.echo(
            f"antisite: warning: the labels in {truth.name} belong to {', '.join(labelled)}, "
            f"and the result to {image}",
            err=True,
        )


def scores_as_json(scores: Scores, *, pixel_size: float = math.nan) -> dict[str, Any]:
    """Scores as plain dictionaries: numbers that are not finite become None.

    Parameters
    ----------
    pixel_size : Å/px, NaN when unknown; it gives the localisation in Å.
    """
    return {
        "n_scored": scores.n_scored,
        "n_left_out": scores.n_left_out,
        "detection": _plain(asdict(scores.detection)),
        "roc": {label: _plain(asdict(area)) for label, area in scores.roc.items()},
        "localisation": _plain(asdict(scores.localisation)),
        "pixel_size": _plain(pixel_size),
        "kind_accuracy": _plain(asdict(scores.kind_accuracy)),
        "confusion": {
            str(label): {str(kind): int(n) for kind, n in row.items()}
            for label, row in scores.confusion.to_dict("index").items()
        },
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def score_table(scores: Scores, *, pixel_size: float = math.nan) -> Table:
    """Every score with its interval and count, for a terminal."""
    from rich.table import Table

    table = Table("score", "value", "95 % interval", "n", title="Against the labels")
    found = scores.detection
    for name, score in [("precision", found.precision), ("recall", found.recall), ("F1", found.f1)]:
        table.add_row(name, *_cells(score.value, score.low, score.high, 3), str(score.n))
    for label, area in scores.roc.items():
        cells = _cells(area.value, area.low, area.high, 4)
        table.add_row(f"area under ROC, {label}", *cells, f"{area.n_positive} + {area.n_negative}")
    accuracy = scores.kind_accuracy
    table.add_row("kind named", *_cells(accuracy.value, accuracy.low, accuracy.high, 3), str(accuracy.n))
    scale, unit = (1.0, "px") if math.isnan(pixel_size) else (pixel_size, "Å")
    errors = [("median", scores.localisation.median), ("95th percentile", scores.localisation.p95)]
    for name, score in errors:
        cells = _cells(score.value * scale, score.low * scale, score.high * scale, 2)
        table.add_row(f"position error, {name}, {unit}", *cells, str(score.n))
    return table


def _cells(value: float, low: float, high: float, digits: int) -> tuple[str, str]:
    if math.isnan(value):
        return "–", "–"
    top = "∞" if math.isinf(high) else f"{high:.{digits}f}"
    return f"{value:.{digits}f}", f"{low:.{digits}f} to {top}"


def confusion_table(scores: Scores) -> Table:
    """How often each label was given which kind, for a terminal."""
    from rich.table import Table

    table = Table("label", *scores.confusion.columns, title="Kinds given to each label")
    for label, row in scores.confusion.iterrows():
        table.add_row(str(label) or "(no label)", *(str(n) for n in row))
    return table


def _left_out_line(scores: Scores) -> str:
    d = scores.detection
    reasons = ", ".join(f"{n} {reason}" for reason, n in scores.n_left_out.items() if n) or "none"
    return (
        f"{scores.n_scored} sites scored: {d.tp} defects found, {d.fn} missed, {d.fp} false. "
        f"Left out: {reasons}."
    )
