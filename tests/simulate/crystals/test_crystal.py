from antisite.simulate.crystals.crystal import sublattice_name


def test_sublattices_are_named_in_order():
    assert [sublattice_name(i) for i in (-1, 0, 1)] == ["hollow", "A", "B"]
