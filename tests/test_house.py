"""The rules of the house: what may import, print and be called what, and what the documents promise."""

import ast
import json
import os
import re
import subprocess
import sys
from importlib import import_module, resources
from pathlib import Path

import pytest

import antisite

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "antisite"
MODULES = sorted(SOURCE.rglob("*.py"))
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
HEAVY = (
    "torch",
    "matplotlib",
    "dask",
    "distributed",
    "abtem",
    "hyperspy",
    "rsciio",
    "sklearn",
    "skimage",
    "numba",
)
ENDS_ITS_OWN_PROCESSES = "antisite.run.workers"
VAGUE = {"utils", "util", "helpers", "helper", "core", "common", "base", "manager", "misc", "tools"}


def module_name(path):
    return str(path.relative_to(SOURCE.parent).with_suffix("")).replace(os.sep, ".").removesuffix(".__init__")


def in_fresh_python(code):
    """What the code prints as JSON in a new interpreter where every warning is an error."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def loaded_by(statement):
    code = (
        f"import sys, json; {statement}; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    )
    return set(in_fresh_python(code))


def test_importing_antisite_imports_nothing_heavy():
    assert loaded_by("import antisite").isdisjoint({*HEAVY, "numpy", "pandas", "scipy"})


def test_public_names_do_not_bring_optional_packages():
    optional = {"torch", "distributed", "abtem", "hyperspy"}
    assert loaded_by("from antisite import *").isdisjoint(optional)


def test_public_names_do_not_bring_drawing():
    assert loaded_by("from antisite import *").isdisjoint({"matplotlib"})


def test_importing_antisite_changes_no_global_state():
    code = """
import json, logging, os, random, signal, warnings
state = lambda: [dict(os.environ), repr(warnings.filters), os.getcwd(), repr(logging.root.handlers),
                 logging.root.level, repr(signal.getsignal(signal.SIGINT)), hash(random.getstate())]
before = state()
import antisite
print(json.dumps(before == state()))
"""
    assert in_fresh_python(code) is True


def test_every_public_name_resolves_and_is_listed_once():
    assert antisite.__all__ == sorted(set(antisite.__all__))
    for name in antisite.__all__:
        assert getattr(antisite, name).__name__ == name
    assert set(antisite.__all__) <= set(dir(antisite))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'antisite' has no attribute 'find_defect'"):
        antisite.find_defect  # noqa: B018


def test_no_public_name_bears_the_name_of_a_subpackage():
    subpackages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert subpackages.isdisjoint(antisite.__all__)
    assert "detect" in subpackages


@pytest.mark.parametrize("name", antisite.__all__)
def test_public_name_is_in_the_documents(name):
    assert any(re.search(rf"\b{name}\b", path.read_text(encoding="utf-8")) for path in DOCUMENTS)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
class TestEveryModule:
    def test_says_what_it_is_for(self, path):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

    def test_public_functions_and_classes_say_what_they_do(self, path):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        public = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name[0] != "_"]
        public += [
            member
            for node in public
            if isinstance(node, ast.ClassDef)
            for member in node.body
            if isinstance(member, ast.FunctionDef) and member.name[0] != "_"
        ]
        assert not [node.name for node in public if not ast.get_docstring(node)]

    def test_has_a_name_that_says_something(self, path):
        assert VAGUE.isdisjoint(module_name(path).split("."))

    def test_is_short_enough_to_read(self, path):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300

    def test_leaves_the_global_random_numbers_alone(self, path):
        text = path.read_text(encoding="utf-8")
        legacy = re.findall(
            r"np\.random\.(?!default_rng|Generator|SeedSequence)\w+|^import random", text, re.MULTILINE
        )
        assert not legacy


@pytest.mark.parametrize("path", [path for path in MODULES if path.parent.name != "cli"], ids=module_name)
def test_only_the_command_line_prints_reads_the_environment_or_exits(path):
    used = set(forbidden_uses(ast.parse(path.read_text(encoding="utf-8"))))
    assert used <= ({"os._exit"} if module_name(path) == ENDS_ITS_OWN_PROCESSES else set())


def forbidden_uses(tree):
    """Calls and attributes that only `cli` may use."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"print", "exit", "input"}
        ):
            yield node.func.id
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used = f"{node.value.id}.{node.attr}"
            if used in {"os.environ", "os.getenv", "sys.exit", "sys.stdout", "sys.argv", "os._exit"}:
                yield used


@pytest.mark.parametrize(
    "code", ["print(1)", "import os; os.environ['A']", "import os; os.getenv('A')", "exit()"]
)
def test_forbidden_uses_are_seen(code):
    assert len(list(forbidden_uses(ast.parse(code)))) == 1


def test_demo_image_and_its_truth_ship_with_the_package():
    shipped = {path.name: path for path in (resources.files("antisite") / "data").iterdir()}
    assert {"demo_wse2.tif", "demo_wse2.truth.json"} <= set(shipped)
    assert len(shipped["demo_wse2.tif"].read_bytes()) <= 300_000


def test_demo_script_still_makes_the_shipped_image(tmp_path):
    script = compile(
        (ROOT / "benchmarks" / "make_demo.py").read_text(encoding="utf-8"), "make_demo.py", "exec"
    )
    names = {"__name__": "make_demo", "__file__": str(ROOT / "benchmarks" / "make_demo.py")}
    exec(script, names)
    names["make_demo"](tmp_path)
    shipped = SOURCE / "data"
    assert (tmp_path / "demo_wse2.tif").read_bytes() == (shipped / "demo_wse2.tif").read_bytes()
    assert (tmp_path / "demo_wse2.truth.json").read_text() == (shipped / "demo_wse2.truth.json").read_text()


def commands():
    """Every command of `antisite` and the options it takes."""
    import typer.main

    group = typer.main.get_command(import_module("antisite.cli.main").app)
    return {
        name: {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        for name, command in group.commands.items()
    }


def mentions(text):
    """(command, options) for every `antisite COMMAND …` in a document: in code spans and in code blocks."""
    blocks = re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for line in [line for block in blocks for line in block.splitlines()] + spans:
        words = line.split("#")[0].split()
        if words[:1] == ["antisite"] and re.fullmatch(r"[a-z]+", "".join(words[1:2])):
            yield words[1], {word.split("=")[0] for word in words[2:] if re.match(r"--?[a-z]", word)}


def option_mentions(text):
    """Every option named in a code span."""
    return set(re.findall(r"`(--[a-z][a-z-]*)", text))


FOREIGN = {"--help", "--version", "--check"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_only_commands_and_options_that_exist(path):
    text, known = path.read_text(encoding="utf-8"), commands()
    for command, options in mentions(text):
        assert command in known
        assert options - FOREIGN <= known[command]
    assert option_mentions(text) - FOREIGN <= set.union(*known.values())


def test_every_command_and_option_is_documented():
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    known = commands()
    assert set(known) <= {command for command, _ in mentions(text)}
    long_options = {option for options in known.values() for option in options if option.startswith("--")}
    assert long_options - {"--help"} <= option_mentions(text)


def test_every_field_and_kind_is_documented():
    from antisite.defects import FIELDS, KINDS

    text = (ROOT / "docs" / "table.md").read_text(encoding="utf-8")
    assert {*FIELDS, *KINDS} <= set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert not [link for link in links if not (path.parent / link).exists()]


@pytest.mark.parametrize(
    "path", [ROOT / "pyproject.toml", ROOT / "constraints.txt", ROOT / "Makefile"], ids=str
)
def test_project_files_name_no_place_of_one_machine(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/home/|/work/|/root/|file://|index-url|find-links", text)


def test_constraints_pin_every_dependency():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[>=<;]", requirement)[0] for requirement in wanted}
    pinned = set(
        re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert names <= {name.lower() for name in pinned}
