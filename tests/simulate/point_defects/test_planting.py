import math
import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from antisite.errors import InputError
from antisite.simulate.crystals.column_atoms import EMPTY, ColumnAtoms
from antisite.simulate.crystals.scene import nearest_spacing, perfect_scene
from antisite.simulate.extended_defects.boundaries import tilt_boundary
from antisite.simulate.point_defects.hollow_places import find_hollows
from antisite.simulate.point_defects.planting import PointDefects, plant_at, plant_defects
from antisite.simulate.sketch.crystals import find_sketch


def with_atoms(name, *columns):
    """A sketched crystal whose columns hold atoms: symbols and heights [Å]."""
    sketch = find_sketch(name)
    held = [ColumnAtoms(tuple(symbols), tuple(heights)) for symbols, heights in columns]
    return replace(
        sketch, columns=tuple(replace(c, atoms=h) for c, h in zip(sketch.columns, held, strict=True))
    )


WSE2 = with_atoms("wse2", (("W",), (1.67,)), (("Se", "Se"), (0.0, 3.34)))
CDTE = with_atoms("cdte110", (("Te", "Te"), (0.0, 4.58)), (("Cd", "Cd"), (0.0, 4.58)))
GRAPHENE = with_atoms("graphene", (("C",), (0.0,)), (("C",), (0.0,)))
SRTIO3 = with_atoms(
    "srtio3",
    (["Sr"] * 20, [3.905 * i for i in range(20)]),
    (["Ti", "O"] * 20, [1.9525 * i for i in range(40)]),
)


def lay(crystal, *, shape=(200, 220)):
    return perfect_scene(crystal, shape=shape, pixel_size=0.2, rotation=0.3, rng=1)


def planted(crystal=WSE2, *, rng=3, n_depths=8, shape=(300, 300), **shares):
    return plant_defects(lay(crystal, shape=shape), PointDefects(n_depths=n_depths, **shares), rng=rng)


def odd(scene):
    return scene.sites[scene.sites["kind"] != "none"]


def held(scene, rows=None):
    """The atoms of the sites that are not perfect."""
    rows = odd(scene) if rows is None else rows
    return {scene.atoms[i] for i in rows["atoms"]}


@pytest.mark.parametrize(
    ("shares", "kind", "species", "sublattice", "atoms"),
    [
        ({"vacancies": {"W": 0.1}}, "vacancy", "", "A", {EMPTY}),
        (
            {"vacancies": {"Se": 0.1}},
            "partial_vacancy",
            "",
            "B",
            {ColumnAtoms(("Se",), (0.0,)), ColumnAtoms(("Se",), (3.34,))},
        ),
        ({"column_vacancies": {"Se": 0.1}}, "vacancy", "", "B", {EMPTY}),
        ({"substitutions": {"V": 0.1}}, "substitution", "V", "A", {ColumnAtoms(("V",), (1.67,))}),
        ({"antisites": {"Se@W": 0.1}}, "antisite", "Se", "A", {ColumnAtoms(("Se",), (1.67,))}),
        (
            {"antisites": {"W@Se": 0.1}},
            "antisite",
            "W",
            "B",
            {ColumnAtoms(("W", "Se"), (0.0, 3.34)), ColumnAtoms(("Se", "W"), (0.0, 3.34))},
        ),
        ({"adatoms": {"W@W": 0.1}}, "bright_site", "W", "A", {ColumnAtoms(("W", "W"), (-0.33, 1.67))}),
        ({"interstitials": {"Se": 0.1}}, "interstitial", "Se", "hollow", {ColumnAtoms(("Se",), (1.67,))}),
    ],
)
def test_every_form_is_what_it_is_called(shares, kind, species, sublattice, atoms):
    scene = planted(**shares)
    found = odd(scene)
    assert set(found["kind"]) == {kind}
    assert set(found["species"]) == {species}
    assert set(found["sublattice"]) == {sublattice}
    assert {ColumnAtoms(c.symbols, tuple(round(h, 9) for h in c.heights)) for c in held(scene)} == atoms


def test_a_perfect_site_is_told_by_its_column():
    sites = planted().sites
    assert set(sites["kind"]) == {"none"}
    assert (sites["species"] == np.array(["W", "Se"])[sites["index"]]).all()
    assert (sites["atoms"] == sites["index"]).all()


@pytest.mark.parametrize("share", [0.02, 0.3, 1.0])
def test_the_share_is_drawn_without_bias(share):
    laid = lay(WSE2)
    n_could = int((laid.sites["index"] == 0).sum())
    counts = [
        len(odd(plant_defects(laid, PointDefects(substitutions={"V": share}), rng=i))) for i in range(40)
    ]
    width = math.sqrt(n_could * share * (1 - share))
    assert np.mean(counts) == pytest.approx(share * n_could, abs=4 * width / math.sqrt(40) + 1e-9)
    assert np.std(counts) == pytest.approx(width, rel=0.5)


def test_the_same_seed_means_the_same_defects():
    first, second, other = (planted(vacancies={"Se": 0.02}, rng=rng) for rng in (5, 5, 6))
    assert first.sites.equals(second.sites)
    assert not first.sites.equals(other.sites)


def test_another_defect_leaves_the_others_where_they_are():
    complexes = {"V@W+Se": 0.01}
    alone = planted(interstitials={"Se": 0.05}, vacancies={"Se": 0.05}, complexes=complexes)
    beside = planted(
        complexes=complexes,
        interstitials={"Se": 0.05},
        substitutions={"Re": 0.05, "V": 0.05},
        vacancies={"Se": 0.05},
    )
    rows = [scene.sites.loc[scene.sites["kind"] == "interstitial", ["y", "x"]] for scene in (alone, beside)]
    np.testing.assert_array_equal(*rows)
    both = [set(map(tuple, odd(scene)[["y", "x", "kind"]].to_numpy())) for scene in (alone, beside)]
    assert len(both[0] - both[1]) < 0.03 * len(both[0])  # moved where a dopant had taken the site


def test_every_neighbour_of_a_dopant_is_as_likely_to_lose_its_atom():
    scene = planted(complexes={"V+Se": 0.05}, shape=(600, 600))
    dopants, gaps = (
        scene.sites.loc[scene.sites["kind"] == kind, ["y", "x"]].to_numpy()
        for kind in ("complex", "partial_vacancy")
    )
    dopants = dopants[(np.abs(dopants - 300) < 800).all(axis=1)]
    off = gaps[cKDTree(gaps).query(dopants)[1]] - dopants
    _, counts = np.unique(np.round(np.arctan2(*off.T), 3), return_counts=True)
    assert len(counts) == 3
    np.testing.assert_allclose(counts / counts.sum(), 1 / 3, atol=0.05)


def test_a_site_has_at_most_one_defect_and_all_are_there():
    scene = planted(substitutions={"V": 0.4, "Re": 0.4}, shape=(100, 100))
    metal = scene.sites[scene.sites["index"] == 0]
    shares = metal["species"].value_counts(normalize=True)
    assert shares["V"] == pytest.approx(0.4, abs=0.04)
    assert shares["Re"] == pytest.approx(0.4, abs=0.04)


def test_equal_columns_are_shared():
    scene = planted(vacancies={"Se": 0.1}, substitutions={"V": 0.1})
    assert len(scene.atoms) == len(set(scene.atoms)) == 2 + 2 + 1
    again = plant_defects(scene, PointDefects(vacancies={"Se": 0.1}), rng=9)
    assert again.atoms == scene.atoms
    assert len(odd(again)) > len(odd(scene))


def test_a_thick_column_loses_one_atom_at_one_of_a_few_depths():
    scene = planted(SRTIO3, vacancies={"Sr": 0.3}, n_depths=5)
    columns = held(scene)
    assert len(columns) == 5
    assert {len(column.symbols) for column in columns} == {19}
    perfect = set(SRTIO3.columns[0].atoms.heights)
    missing = sorted((perfect - set(column.heights)).pop() for column in columns)
    np.testing.assert_allclose(missing, np.round(np.linspace(0, 19, 5)) * 3.905)


def test_a_whole_column_of_an_element_leaves_the_others_in_it():
    scene = planted(SRTIO3, column_vacancies={"O": 0.1})
    assert set(odd(scene)["kind"]) == {"partial_vacancy"}
    assert held(scene) == {ColumnAtoms(("Ti",) * 20, tuple(SRTIO3.columns[0].atoms.heights))}


def test_half_a_dumbbell_can_be_missing():
    scene = planted(CDTE, column_vacancies={"Te": 0.1})
    assert set(odd(scene)["kind"]) == {"vacancy"}
    assert set(odd(scene)["sublattice"]) == {"A"}


def test_a_complex_is_a_dopant_beside_a_vacancy_of_its_own():
    scene = planted(complexes={"V+Se": 0.05})
    dopants, gaps = (scene.sites[scene.sites["kind"] == kind] for kind in ("complex", "partial_vacancy"))
    assert len(dopants) == len(gaps) > 100
    assert (dopants["species"] == "V").all()
    distance, _ = cKDTree(gaps[["y", "x"]]).query(dopants[["y", "x"]], k=1)
    inner = ((dopants[["y", "x"]] > -200) & (dopants[["y", "x"]] < 500)).all(axis=1).to_numpy()
    np.testing.assert_allclose(distance[inner], nearest_spacing(scene))
    assert len(held(scene)) == 3


def test_a_complex_within_one_element_does_not_use_its_own_site():
    scene = planted(GRAPHENE, complexes={"N@C+C": 0.02})
    counts = odd(scene)["kind"].value_counts()
    assert counts["complex"] == counts["vacancy"] > 100


def test_interstitials_stand_as_far_from_all_columns_as_they_can():
    scene = planted(interstitials={"Se": 0.2})
    positions, index = scene.positions, scene.sites["index"].to_numpy()
    distance = cKDTree(positions[index >= 0]).query(positions[index < 0])[0]
    np.testing.assert_allclose(np.median(distance), nearest_spacing(scene))
    assert (distance > nearest_spacing(scene) - 1e-6).all()


def test_hollows_of_a_bicrystal_are_those_of_its_grains():
    laid = lay(WSE2)
    tilted = tilt_boundary(laid, 0.3)
    hollows = find_hollows(tilted)
    distance = cKDTree(tilted.positions).query(hollows)[0]
    assert len(hollows) == pytest.approx(len(tilted.sites) / 2, rel=0.05)
    assert np.median(distance) == pytest.approx(nearest_spacing(laid))
    assert distance.min() > 0.85 * nearest_spacing(laid)
    scene = plant_defects(tilted, PointDefects(interstitials={"Se": 0.2}), rng=1)
    assert set(odd(scene)["grain"]) == {0, 1}


def test_a_defect_is_put_at_the_nearest_site_that_can_hold_it():
    laid = lay(WSE2)
    scene = plant_at(plant_at(laid, "substitutions", "V", (90, 80)), "vacancies", "W", (90, 80))
    found = odd(scene).set_index("kind")
    metal = laid.positions[laid.sites["index"] == 0]
    nearest = cKDTree(metal).query((90, 80), k=2)[1]
    np.testing.assert_allclose(found.loc[["substitution", "vacancy"], ["y", "x"]], metal[nearest])


def test_a_hundred_thousand_sites_take_no_time():
    laid = lay(WSE2, shape=(900, 900))
    assert len(laid.sites) > 9e4
    taken = []
    for _ in range(4):
        start = time.perf_counter()
        plant_defects(laid, PointDefects(vacancies={"Se": 0.01}, substitutions={"V": 0.01}), rng=1)
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.1  # two kinds; 20 ms when nothing else runs


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PointDefects(vacancies={"Se": 2}), r"share of vacancies Se must be 0 to 1, got 2 .*0\.02"),
        (lambda: PointDefects(substitutions={"V": math.nan}), "must be 0 to 1, got nan"),
        (lambda: PointDefects(n_depths=0), "n_depths must be 1 or more"),
        (
            lambda: planted(vacancies={"Te": 0.1}),
            r"vacancies of wse2 must name its elements \(W, Se\), got Te",
        ),
        (lambda: planted(substitutions={"Vv": 0.1}), r"chemical symbol, got 'Vv' \(nearest: V\)"),
        (lambda: planted(substitutions={"V@Te": 0.1}), r"\(W, Se\), got Te"),
        (lambda: planted(substitutions={"W": 0.1}), "one element in the place of another"),
        (lambda: planted(antisites={"W": 0.1}), "must be written as two elements"),
        (lambda: planted(complexes={"V": 0.1}), "must be written as a dopant and what is missing"),
        (lambda: planted(vacancies={"Se@W": 0.1}), "must be written as an element"),
        (lambda: planted(SRTIO3, substitutions={"Nb": 0.1}), "give Nb@Sr or Nb@Ti"),
        (lambda: planted(substitutions={"V": 0.1, "V@W": 0.1}), "given once"),
        (lambda: planted(find_sketch("wse2"), vacancies={"Se": 0.1}), "which is a sketch"),
        (lambda: plant_at(lay(WSE2), "vacancy", "Se", (1, 1)), "nearest: vacancies"),
        (
            lambda: plant_at(planted(substitutions={"V": 1.0}), "vacancies", "W", (1, 1)),
            "need a perfect site",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
