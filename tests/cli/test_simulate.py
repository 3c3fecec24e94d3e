from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
from typer.testing import CliRunner

from antisite import read_image, simulate_image
from antisite.cli.main import app
from antisite.cli.simulate import cache_folder
from antisite.cli.simulate_choices import FORMS, chosen_simulation, join_pairs
from antisite.conditions import Detector
from antisite.defects import KINDS
from antisite.io.annotations import labelled_images, read_annotations
from antisite.run.simulation import Simulation
from antisite.simulate.image import simulate_image as simulate_one
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.point_defects.words import FORMS as FORMS_OF_DEFECTS
from antisite.simulate.recording.recording import Readout, Recording
from antisite.simulate.scattering.optics import Optics
from antisite.simulate.structure_image import structure_image

GRAPHENE = ["simulate", "graphene", "--static", "--size", "64"]
NOISY = [*GRAPHENE, "--vacancy", "C:0.05", "--dose", "1e5"]
SHEET = """2
Lattice="2.46 0 0 0 4.26 0 0 0 4" Properties=species:S:1:pos:R:3 pbc="T T T"
C 0.0 0.0 1.0
C 1.23 2.13 1.0
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@pytest.fixture
def run(cache: Path, tmp_path: Path) -> Any:
    def ran(*arguments: str | Path, out: Path = tmp_path / "out") -> Any:
        told = [str(one) for one in (*arguments, "--cache", cache, "--out", out)]
        return CliRunner().invoke(app, told)

    return ran


def contents(folder: Path) -> dict[str, Any]:
    """The files of a folder; of the summary without its provenance."""
    files: dict[str, Any] = {path.name: path.read_bytes() for path in folder.iterdir()}
    summary = json.loads(files["simulation.json"])
    del summary["provenance"]
    return files | {"simulation.json": summary}


def test_writes_an_image_twice_its_truth_a_picture_and_how_it_was_made(run: Any, tmp_path: Path) -> None:
    answer = run(*NOISY)
    assert (answer.exit_code, answer.stderr) == (0, "")
    folder = tmp_path / "out" / "graphene"
    names = {"graphene.tif", "graphene.hspy", "truth.json", "picture.png", "simulation.json"}
    assert {path.name for path in folder.iterdir()} == names
    assert f"{folder}: graphene.tif, graphene.hspy" in answer.stdout
    assert "64 × 64 px · 0.2 Å/px" in answer.stdout
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_both_files_of_the_image_read_back_with_scale_and_microscope(run: Any, tmp_path: Path) -> None:
    options = ["--pixel-size", "0.17", "--convergence", "25", "--detector", "70", "150"]
    assert run(*NOISY, *options).exit_code == 0
    tif, hspy = (
        read_image(tmp_path / "out" / "graphene" / f"graphene.{ending}") for ending in ("tif", "hspy")
    )
    assert tif.pixel_size == pytest.approx(0.17, rel=1e-5)
    assert (tif.pixel_size_from, hspy.pixel_size) == ("file", 0.17)
    np.testing.assert_array_equal(tif.pixels, hspy.pixels)
    known = hspy.conditions
    assert (known.beam_energy, known.convergence) == (80e3, 25)
    assert known.detectors == (Detector(inner=70, outer=150),)


def test_truth_reads_back_and_names_its_image(run: Any, tmp_path: Path) -> None:
    run(*NOISY)
    path = tmp_path / "out" / "graphene" / "truth.json"
    told = json.loads((path.parent / "simulation.json").read_text(encoding="utf-8"))
    labels = read_annotations(path)
    assert labelled_images(path) == ("graphene.tif",)
    assert len(labels) == told["n_sites"]
    found = labels["kind"].value_counts()
    assert told["defects"] == [{"kind": "vacancy", "species": "", "n": int(found["vacancy"])}]
    assert set(found.index) <= set(KINDS)


def test_the_command_makes_what_python_makes(run: Any, tmp_path: Path, cache: Path) -> None:
    run(*NOISY, "--seed", "7")
    image, _ = simulate_image(
        "graphene",
        defects=PointDefects(vacancies={"C": 0.05}),
        optics=Optics(static=True),
        recording=Recording(dose=1e5),
        shape=(64, 64),
        cache=cache,
        rng=7,
    )
    np.testing.assert_array_equal(
        read_image(tmp_path / "out" / "graphene" / "graphene.tif").pixels, image.pixels
    )


def test_same_seed_same_bytes_and_another_seed_another_image(run: Any, tmp_path: Path) -> None:
    folders = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert run(*NOISY, "--seed", seed, out=tmp_path / name).exit_code == 0
        folders.append(contents(tmp_path / name / "graphene"))
    first, again, other = folders
    assert first == again
    assert first["graphene.tif"] != other["graphene.tif"]
    assert first["truth.json"] != other["truth.json"]


def test_every_detector_has_files_of_its_own(run: Any, tmp_path: Path) -> None:
    answer = run(*NOISY, "--detector", "70", "200", "--detector", "40", "60", "--json")
    told = json.loads(answer.stdout)
    assert told["files"][:4] == ["graphene_1.tif", "graphene_2.tif", "graphene_1.hspy", "graphene_2.hspy"]
    folder = Path(told["folder"])
    second = read_image(folder / "graphene_2.hspy")
    assert second.conditions.detectors == (Detector(inner=40, outer=60),)
    assert (read_image(folder / "graphene_2.tif").pixels == second.pixels).all()
    assert told["mean"][1] > told["mean"][0]
    assert labelled_images(folder / "truth.json") == ("graphene_1.tif", "graphene_2.tif")


def test_pixels_that_whole_numbers_cut_off_are_a_warning(run: Any) -> None:
    answer = run(*NOISY, "--bits", "8", "--gain", "100")
    assert answer.exit_code == 0
    assert answer.stderr.startswith("antisite: warning: ")
    assert "% of the pixels are at 255, the most that 8 bits hold (give a lower --gain)" in answer.stderr


@pytest.mark.parametrize(("bits", "dtype"), [("8", np.uint8), ("12", np.uint16)])
def test_bits_are_those_of_the_file(run: Any, tmp_path: Path, bits: str, dtype: Any) -> None:
    from tifffile import imread

    assert run(*NOISY, "--bits", bits, "--gain", "20", "--offset", "10").exit_code == 0
    pixels = imread(tmp_path / "out" / "graphene" / "graphene.tif")
    assert pixels.dtype == dtype
    assert 0 < pixels.max() < 2 ** int(bits)


def test_a_structure_is_rendered_as_a_share_of_the_beam(run: Any, tmp_path: Path, cache: Path) -> None:
    from ase.io import read

    (tmp_path / "sheet.xyz").write_text(SHEET)
    options = ["--periodic", "--noiseless", "--static", "--defocus", "0", "--shape", "30", "18"]
    answer = run("simulate", tmp_path / "sheet.xyz", *options, "--detector", "60", "200")
    assert (answer.exit_code, answer.stderr) == (0, "")
    pixels = np.load(tmp_path / "out" / "image.npy")
    assert (pixels.shape, pixels.dtype) == ((30, 18), np.float32)
    optics = Optics(static=True, detectors=(Detector(inner=60, outer=200),))
    expected = structure_image(read(tmp_path / "sheet.xyz"), optics, shape=(30, 18), cache=cache)
    np.testing.assert_array_equal(pixels, expected[0])
    assert np.unravel_index(pixels.argmax(), pixels.shape) in [(0, 0), (15, 9)]
    assert 0 < pixels.min() < pixels.max() < 0.1
    assert f"{100 * pixels.mean(dtype=float):.4g} % of the beam on average" in answer.stdout
    again = run("simulate", tmp_path / "sheet.xyz", *options)
    assert again.exit_code == 2
    assert f"{tmp_path / 'out'} holds image.npy (give --overwrite or another --out)" in again.stderr
    both = ["--detector", "60", "200", "--detector", "80", "200", "--overwrite", "--quiet"]
    assert run("simulate", tmp_path / "sheet.xyz", *options, *both).output == ""
    assert np.load(tmp_path / "out" / "image.npy").shape == (2, 30, 18)


@pytest.mark.parametrize(
    ("options", "factor", "unit"),
    [
        ("--noiseless --detector 70 200 --detector 40 60", 100, "% of the beam"),
        ("--dose 1e5", 1, "electrons per pixel"),
        ("--dose 1e5 --read-noise 0.1", 1, "electrons per pixel"),
        ("--dose 1e5 --gain 20", 1, "as gain and offset make it"),
    ],
)
def test_the_mean_signal_is_told_with_its_unit(
    run: Any, tmp_path: Path, options: str, factor: int, unit: str
) -> None:
    answer = run(*GRAPHENE, *options.split())
    told = json.loads((tmp_path / "out" / "graphene" / "simulation.json").read_text(encoding="utf-8"))
    means = ", ".join(f"{factor * mean:.4g}" for mean in told["mean"])
    assert f"signal      {means} {unit} on average\n" in answer.stdout


def test_a_detector_that_touches_the_probe_warns(run: Any) -> None:
    answer = run(*GRAPHENE, "--detector", "30", "60")
    assert answer.exit_code == 0
    assert "antisite: warning: the detector from 30 mrad touches the probe of 30 mrad" in answer.stderr


def test_results_are_kept_unless_told_otherwise(run: Any, tmp_path: Path) -> None:
    run(*NOISY)
    before = contents(tmp_path / "out" / "graphene")
    answer = run(*NOISY, "--seed", "5")
    assert answer.exit_code == 2
    assert answer.stderr.endswith("holds graphene.tif (give --overwrite or another --out)\n")
    assert contents(tmp_path / "out" / "graphene") == before
    assert run(*NOISY, "--seed", "5", "--overwrite").exit_code == 0
    assert contents(tmp_path / "out" / "graphene") != before


def test_lists_the_specimens_known_by_name(run: Any, tmp_path: Path) -> None:
    table = run("simulate", "--list").stdout
    rows = json.loads(run("simulate", "--list", "--json").stdout)
    assert {"WSe2", "graphene", "CdTe_110", "SrTiO3_001"} <= {row["name"] for row in rows}
    assert set(rows[0]) == {"name", "words", "cell", "columns"}
    assert all(row["name"] in table for row in rows)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("status", "arguments", "words"),
    [
        (2, "", "a simulation needs a SPECIMEN (antisite simulate --list names those it knows)"),
        (2, "WSe3", "got 'WSe3' (nearest: WSe2, WS2, WTe2;"),
        (1, "nothing.cif", "a structure must be a file that exists, got nothing.cif"),
        (2, "wse2 --detector 200 70", "outer angle must exceed its inner one, got 200 to 70 mrad"),
        (2, "wse2 --detector 20 70", "must begin outside the probe of 30 mrad, got 20 to 70 mrad (say so"),
        (2, "wse2 --detector 70", "--detector must be followed by two angles in mrad, INNER OUTER, got '70'"),
        (2, "wse2 --dose 0", "dose must be positive [e/Å²], got 0"),
        (2, "wse2 --dose 1e4 --gain 1e300", "gain must be positive, 1e-20 to 1e+20 per electron, got 1e+300"),
        (2, "wse2 --drift 2000", "drift must be at most 1536 px, 3 times the longer side of the frame"),
        (2, "graphene --defocus 1e300", "aberrations may widen the probe by 30 Å"),
        (2, "wse2 --dose -3", "dose must be positive [e/Å²], got -3"),
        (2, "wse2 --dose 1e4 --noiseless", "--noiseless and --dose exclude each other"),
        (2, "wse2 --bits 8", "an infinite dose has no counts to read out (give a dose"),
        (2, "wse2 --vacancy Se:2", "the share of vacancies Se must be 0 to 1, got 2 (did you mean 0.02?)"),
        (2, "wse2 --vacancy Se", "--vacancy must be written WORDS:SHARE, got 'Se'"),
        (2, "wse2 --complex V+Se:5%", "--complex must be written WORDS:SHARE, got 'V+Se:5%' (V+Se:0.05)"),
        (2, "wse2 --dopant V:.1 --dopant V:.2", "--dopant must name every defect once, got V twice"),
        (2, "wse2 --vacancy S:0.1", "vacancies of WSe2 must name its elements (W, Se), got S"),
        (2, "wse2 --dopant Vv:0.1", "an element must be a chemical symbol, got 'Vv' (nearest: V)"),
        (2, "wse2 --size 0", "an image must be at least 1 × 1 px, got 0 × 0"),
        (
            2,
            "wse2 --size 2000000",
            "an image must fit into memory, got 2000000 × 2000000 px, which takes about",
        ),
        (2, "wse2 --size 9 --shape 8 8", "--size and --shape exclude each other"),
        (2, "wse2 --beam-energy 80", "beam_energy must be 1e3 to 3e6 eV, got 80 (did you mean 80e3?)"),
        (2, "wse2 --pixel-size 0", "pixel_size must be finite and at least 0.001 Å/px, got 0"),
        (2, "wse2 --pixel-size 1e-6", "pixel_size must be finite and at least 0.001 Å/px, got 1e-06"),
        (2, "wse2 --pixel-size 500", "pixel_size must be at most the 3.32 Å of the cell of WSe2, got 500"),
        (2, "wse2 --zone-axis 0 0 0", "not all 0, got (0, 0, 0)"),
        (2, "wse2 --vacancy Xx:0.1", "an element must be a chemical symbol, got 'Xx' (nearest: Xe)"),
        (2, "wse2 --thickness 20", "thickness"),
        (2, "wse2 --flyback 30", "flyback must be less than the 20 px in which it decays"),
        (2, "Au", "Au must be given with its axis: Au_100 or Au_110"),
        (2, "wse2 --detector 70 200 300", "INNER OUTER, got '70 200 300' (each further detector has a"),
        (2, "wse2 --detector=70 5 9", "INNER OUTER, got '70 5 9' (each further detector has a"),
        (2, "wse2 --pixel-size nan", "'--pixel-size': it must be a number, got nan"),
        (2, "wse2 --rotation inf", "'--rotation': it must be finite, got inf"),
        (2, "wse2 --seed -1", "seed must be 0 or more, got -1"),
        (2, "wse2.cif --periodic", "--periodic needs the number of pixels (give --shape NY NX)"),
        (2, "wse2 --periodic --size 8 --dopant V:.1", "--dopant means nothing with --periodic"),
        (
            2,
            "wse2 --periodic",
            "--periodic images a structure file, got the name 'wse2' (write one cell",
        ),
        (1, "wse2.cif --periodic --size 8", "a structure must be a file that exists, got wse2.cif"),
        (1, "wse2.cif --zone-axis 0 0 0", "a structure must be a file that exists, got wse2.cif"),
        (2, "wse2 --lattice-constant 3", "--lattice-constant means nothing without --like"),
        (2, "wse2 --count 0", "the number of fields must be 1 to 1,000,000, got 0"),
        (
            2,
            "wse2 --count 2 --format yol",
            "must be one of zarr, yolo, coco, tiff, got 'yol' (nearest: yolo)",
        ),
        (
            2,
            "wse2 --count 2 --format coco --detector 70 200 --detector 40 60",
            "coco images hold one detector, got 2 (choose zarr or tiff, or one detector)",
        ),
        (2, "wse2 --format zarr", "--format means nothing without --count"),
        (2, "wse2 --count 2 --patch 8", "--patch means nothing without --format zarr"),
        (2, "wse2 --count 2 --scheduler tcp://a:1", "--scheduler means nothing without --format zarr"),
        (2, "wse2 --count 2 --format zarr --scheduler=", "must be an address such as tcp://HOST:8786, got"),
        (2, "wse2 --count 2 --rotation 3", "--rotation means nothing with --count"),
        (2, "wse2 --count 2 --like nothing.tif", "--like means nothing with --count"),
        (2, "wse2 --count 2 --format zarr --scheduler a:1", "scheduler must be an address such as tcp://"),
        (2, "wse2 --count 2 --format zarr --patch 0", "size of patches must be 1 px to the 512 px"),
        (1, "wse2 --like nothing.tif", "nothing.tif does not exist (check the name and the folder)"),
        (1, "wse2 --like .", ". must be an image file, and is a folder"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_writes_nothing(
    run: Any, tmp_path: Path, status: int, arguments: str, words: str
) -> None:
    answer = run("simulate", *arguments.split())
    assert answer.exit_code == status
    assert answer.stderr.count("\n") == 1
    assert words in answer.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("more", [[], ["--periodic", "--size", "8"], ["--like", "{path}"]])
def test_a_file_of_several_structures_is_refused(run: Any, tmp_path: Path, more: list[str]) -> None:
    path = tmp_path / "two.xyz"
    path.write_text(SHEET * 2)
    answer = run("simulate", path, *(word.format(path=path) for word in more))
    assert (answer.exit_code, answer.stderr.count("\n")) == (1, 1)
    assert "a structure file must hold one structure, got 2 in two.xyz (write the one" in answer.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1\nno cell\nC 0 0 0\n", "a structure must have a cell with a volume, got none in x.xyz"),
        ("2\n\nC 0 0", "x.xyz cannot be read as a structure"),
    ],
)
def test_a_structure_without_a_cell_is_refused(run: Any, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x.xyz").write_text(text)
    for more in ([], ["--periodic", "--size", "8"]):
        answer = run("simulate", tmp_path / "x.xyz", *more)
        assert (answer.exit_code, answer.stderr.count("\n")) == (1, 1)
        assert words in answer.stderr


def test_an_interrupt_leaves_nothing(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any, **__: Any) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("antisite.run.simulation_files.simulated_png", stop)
    answer = run(*NOISY)
    assert (answer.exit_code, answer.stderr) == (130, "antisite: interrupted\n")
    assert not (tmp_path / "out").exists()


def test_options_become_the_simulation_they_say() -> None:
    given = {
        "specimen": "WSe2",
        "dopant": ["V:0.02", "Mo@Se:0.1"],
        "complexes": ["V+Se:0.01"],
        "detector": ["70 200", "40,60"],
        "rotation": 90.0,
        "size": 32,
        "dose": 1e4,
        "gain": 3.0,
        "drift": 1.5,
        "contamination": 0.2,
        "seed": 4,
    }
    chosen = chosen_simulation(given)
    assert chosen.defects == PointDefects(substitutions={"V": 0.02, "Mo@Se": 0.1}, complexes={"V+Se": 0.01})
    assert chosen.optics.detectors == (Detector(inner=70, outer=200), Detector(inner=40, outer=60))
    assert chosen.recording.dose == 1e4
    assert chosen.recording.readout == Readout(gain=3)
    assert (chosen.recording.scan.drift, chosen.recording.contamination.strength) == (1.5, 0.2)
    assert (chosen.shape, chosen.seed, chosen.specimen) == ((32, 32), 4, "WSe2")
    assert chosen.rotation == pytest.approx(np.pi / 2)
    assert chosen_simulation({"specimen": "WSe2"}) == Simulation(specimen="WSe2")


def test_every_form_of_defect_has_an_option() -> None:
    assert list(FORMS.values()) == list(FORMS_OF_DEFECTS)


def test_defaults_in_the_help_are_those_that_are_used() -> None:
    command: Any = typer.main.get_command(app)
    told = {one.name: one.help for one in command.commands["simulate"].params if getattr(one, "help", None)}
    usual = Simulation(specimen="")
    ring = usual.optics.detectors[0]
    for name, value in {
        "size": f"{usual.shape[0]}",
        "pixel_size": f"{usual.pixel_size:g}",
        "beam_energy": f"{usual.optics.beam_energy / 1e3:g}e3",
        "convergence": f"{usual.optics.convergence:g}",
        "detector": f"{ring.inner:g} {ring.outer:g}",
        "dose": f"{usual.recording.dose:g}, which is no noise",
        "seed": f"{usual.seed}",
    }.items():
        assert rf"\[default: {value}]" in told[name]


def test_two_angles_are_one_word_only_where_both_are_numbers() -> None:
    words = ["--detector", "70", "--dose", "3", "--detector", "1e1", "inf", "--detector"]
    assert join_pairs(words) == ["--detector", "70", "--dose", "3", "--detector", "1e1 inf", "--detector"]
    assert join_pairs(["--detector=70", "200", "x"]) == ["--detector=70 200", "x"]


def test_tables_are_kept_where_the_system_keeps_such_things(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for platform, variable in {"linux": "XDG_CACHE_HOME", "win32": "LOCALAPPDATA"}.items():
        monkeypatch.setattr("sys.platform", platform)
        monkeypatch.setenv(variable, str(tmp_path))
        assert cache_folder() == tmp_path / "antisite"
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "antisite"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder() == Path.home() / "Library" / "Caches" / "antisite"


def test_tables_are_computed_once(run: Any, cache: Path) -> None:
    run(*GRAPHENE)
    kept = {path.name for path in cache.iterdir()}
    assert run(*GRAPHENE, "--overwrite", "--pixel-size", "0.3").exit_code == 0
    assert {path.name for path in cache.iterdir()} == kept
    assert kept


def test_the_public_name_is_the_simulator() -> None:
    assert simulate_image is simulate_one


def test_an_image_is_matched_by_its_twin(run: Any, tmp_path: Path) -> None:
    made = ["--dose", "1e6", "--source-size", "0.3", "--rotation", "11", "--pixel-size", "0.17"]
    assert run("simulate", "graphene", "--static", "--size", "128", *made).exit_code == 0
    real = tmp_path / "out" / "graphene" / "graphene.hspy"
    answer = run("simulate", "graphene", "--like", real, "--vacancy", "C:0.05", "--json")
    assert answer.exit_code == 0
    told = json.loads(answer.stdout)
    folder = tmp_path / "out" / "graphene_twin"
    assert {path.name for path in folder.iterdir()} == set(told["files"])
    assert {"graphene_twin.tif", "twins.png"} <= set(told["files"])
    assert told["pixel_size"] == pytest.approx(0.17, rel=0.01)
    assert (told["shape"], told["like"]) == ([128, 128], "graphene.hspy")
    assert [one["kind"] for one in told["defects"]] == ["vacancy"]
    assert read_image(folder / "graphene_twin.hspy").pixel_size == pytest.approx(told["pixel_size"])
    answer = run("simulate", "graphene", "--like", real, "--overwrite")
    assert f"pixel size {told['pixel_size']:.4g} Å" in answer.stdout
    assert "in the values of the image matched on average" in answer.stdout
    assert "the file says" not in answer.stderr
    other = run("simulate", "graphene", "--like", real, "--lattice-constant", "3.2", "--overwrite")
    assert "the file says 0.17 Å/px, the lattice of the specimen makes it 0.22" in other.stderr


def test_an_option_beside_an_image_overrides_only_itself(run: Any, tmp_path: Path) -> None:
    made = ["--beam-energy", "60e3", "--convergence", "35", "--detector", "50", "150"]
    assert run("simulate", "graphene", "--static", "--size", "128", "--dose", "1e6", *made).exit_code == 0
    real = tmp_path / "out" / "graphene" / "graphene.hspy"
    fitted = []
    for told in (["--static"], ["--static", "--convergence", "33"], ["--static", "--detector", "55", "160"]):
        answer = run("simulate", "graphene", "--like", real, *told, "--overwrite", "--json")
        assert answer.exit_code == 0
        fitted.append(json.loads(answer.stdout)["fitted"]["optics"])
    assert [one["beam_energy"] for one in fitted] == [60e3] * 3
    assert [one["convergence"] for one in fitted] == [35, 33, 35]
    rings = [(ring["inner"], ring["outer"]) for one in fitted for ring in one["detectors"]]
    assert rings == [(50, 150), (50, 150), (55, 160)]
    assert [one["static"] for one in fitted] == [True] * 3


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ("", 1, "noise.npy lacks: beam energy (--beam-energy)"),
        ("--beam-energy 80e3 --convergence 30 --detector 70 200", 3, "no lattice found"),
        (
            "--beam-energy 80e3 --convergence 30",
            1,
            "noise.npy lacks: detector angles (--detector INNER OUTER)",
        ),
        ("--beam-energy 80", 2, "3e+06 eV, got 80 (did you mean 80e3?)"),
        ("--convergence 30 --detector 20 70", 2, "must begin outside the probe of 30 mrad, got 20 to 70"),
        ("--lattice-constant -3", 2, "'--lattice-constant': it must be positive, got -3"),
        ("--vacancy Se:0.1", 2, "vacancies of graphene must name its elements (C), got Se"),
        ("--zone-axis 0 0 0", 2, "not all 0, got (0, 0, 0)"),
        ("--dose 1e4", 2, "--dose means nothing with --like, which finds it in the image"),
        ("--periodic", 2, "--periodic and --like exclude each other"),
    ],
)
def test_an_image_that_has_no_twin_is_one_sentence(
    run: Any, tmp_path: Path, arguments: str, status: int, words: str
) -> None:
    np.save(tmp_path / "noise.npy", np.random.default_rng(1).random((96, 96)))
    answer = run("simulate", "graphene", "--like", tmp_path / "noise.npy", *arguments.split())
    assert (answer.exit_code, answer.stderr.count("\n")) == (status, 1)
    assert words in answer.stderr
    assert not (tmp_path / "out").exists()


def test_many_fields_are_written_in_the_format_asked_for(run: Any, tmp_path: Path) -> None:
    answer = run(*NOISY, "--count", "2", "--format", "yolo")
    assert (answer.exit_code, answer.stderr) == (0, "")
    folder = tmp_path / "out" / "graphene_fields"
    assert f"{folder} (yolo)" in answer.stdout
    assert "graphene · 2 × 64 × 64 px · 0.2 Å/px" in answer.stdout
    assert [path.name for path in sorted((folder / "labels").iterdir())] == [
        "graphene_00000000.txt",
        "graphene_00000001.txt",
    ]
    answer = run(*NOISY, "--count", "2", "--format", "yolo")
    assert (answer.exit_code, answer.stderr.count("\n")) == (2, 1)
    told = json.loads(run(*NOISY, "--count", "1", "--overwrite", "--json").stdout)
    assert (told["format"], told["n_fields"]) == ("tiff", 1)


def test_the_same_command_keeps_its_shards(run: Any, tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    for _ in range(2):
        answer = run(*NOISY, "--count", "2", "--format", "zarr", "--patch", "8")
        assert (answer.exit_code, answer.stderr) == (0, "")
        assert "of 8 × 8 px in 1 shard" in answer.stdout
    assert run(*NOISY, "--count", "2", "--format", "zarr").stderr.count("\n") == 1
