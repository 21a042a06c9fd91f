"""Every parameter and attribute of every class, poisoned in turn: nothing runs, all is named."""

import json

import pytest
from hostile_models import HARMLESS, LABELS, POISONS, honest

import skrehab
from skrehab.persistence.allowed import ALLOWED, NETWORK_PARAMS
from skrehab.persistence.classes import CLASSES, load_class
from skrehab.persistence.kinds import Fixed

PLACES = {"memory", "checkpoint_dir", "weights", "net_params", "model_path", "resampler"}
PLACES |= {"allow_telemetry"}

# runs in a process of its own: an audit hook cannot be taken off
ATTACK = """
import json, os, pathlib, sys
sys.path.insert(0, sys.argv[2])
import skrehab
from hostile_models import HARMLESS, LABELS, POISONS

root = pathlib.Path(sys.argv[1]).resolve()
folders = {path.name: path for path in sorted(root.glob("honest-*"))}
for path in folders.values():  # whatever an honest model imports is imported now
    skrehab.load(path)
seen, at = [], [""]
WATCHED = ("open", "exec", "compile", "import", "subprocess.", "os.system", "os.exec", "os.spawn",
           "os.posix_spawn", "os.fork", "socket.", "pickle.", "shutil.", "os.remove", "os.rename",
           "os.mkdir", "os.symlink", "ctypes.")

def hook(event, arguments):
    if not at[0] or not event.startswith(WATCHED):
        return
    if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        where = pathlib.Path(os.fsdecode(arguments[0])).resolve()
        writes = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if where.is_relative_to(root) and not writes:
            return
    elif event == "open":
        return  # a descriptor that is open already
    seen.append([at[0], event, str(arguments)[:200]])

sys.addaudithook(hook)
wrong, tried = [], 0
for name, folder in folders.items():
    cls = name.removeprefix("honest-")
    file = folder / "model.json"
    good = file.read_text()
    tree = json.loads(good)["estimator"]
    for entry in ("params", "state"):
        for key in tree[entry]:
            for label, poison in POISONS.items():
                if label in HARMLESS and (cls, key) in map(tuple, LABELS):
                    continue
                changed = json.loads(good)
                changed["estimator"][entry][key] = poison
                file.write_text(json.dumps(changed))
                tried += 1
                at[0] = f"{cls}.{key} {label}"
                try:
                    skrehab.load(folder)
                except ValueError as error:
                    if key not in str(error) or len(str(error)) > 3000:
                        wrong.append([at[0], "not named", str(error)[:300]])
                except BaseException as error:
                    wrong.append([at[0], type(error).__name__, str(error)[:300]])
                else:
                    wrong.append([at[0], "loaded", ""])
                at[0] = ""
    file.write_text(good)
at[0] = "again"
for path in folders.values():
    skrehab.load(path)
at[0] = ""
print(json.dumps({"wrong": wrong, "seen": seen, "tried": tried}))
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A saved model of every class."""
    root = tmp_path_factory.mktemp("models")
    return {name: skrehab.save(model, root / f"honest-{name}") for name, model in honest().items()}


def test_every_class_is_attacked(folders):
    assert set(folders) == set(CLASSES) == set(ALLOWED)


@pytest.mark.parametrize("name", CLASSES)
def test_every_parameter_is_on_the_list(name):
    """A new parameter must be thought of; a path-like one is never taken from a folder."""
    cls = load_class(name)
    known = set(ALLOWED[name].params)
    assert set(cls._get_param_names()) <= known
    assert known - set(cls._get_param_names()) <= {"multi_class", "penalty"}  # other scikit-learns
    for key in PLACES & known:
        assert isinstance(ALLOWED[name].params[key], Fixed), key


def test_honest_models_load(folders):
    for name, folder in folders.items():
        assert type(skrehab.load(folder)) is load_class(name)


@pytest.mark.timeout(1000)  # thousands of folders: two minutes alone, many more beside other work
def test_poison_runs_nothing_and_is_named(folders, run_python, request, record_property):
    root = next(iter(folders.values())).parent
    support = request.path.parents[1] / "support"
    said = json.loads(run_python(ATTACK, root, support, seconds=900))
    record_property("tried", said["tried"])  # for benchmarks/hostile_inputs.py
    record_property("refused", said["tried"] - len(said["wrong"]))
    assert said["wrong"] == []
    assert said["seen"] == []
    assert said["tried"] > 1000


def test_the_watch_sees(run_python):
    """The hook of the test above notices what it should."""
    start, end = ATTACK.index("seen, at ="), ATTACK.index("wrong, tried")
    code = "import os, pathlib, sys\nroot = pathlib.Path('/nowhere')\n" + ATTACK[start:end]
    code += "at[0] = 'x'\nimport colorsys\n"
    code += "open('/etc/hostname').close()\nos.system('true')\nat[0] = ''\n"
    code += "print(*sorted({event for _, event, _ in seen}))"
    assert {"import", "open", "os.system"} <= set(run_python(code).split())


def test_what_is_taken_out_is_refused(folders):
    """A fitted model without one of the things that fit sets."""
    for name, folder in folders.items():
        file = folder / "model.json"
        good = file.read_text()
        for key in ALLOWED[name].fitted:
            tree = json.loads(good)
            if key not in tree["estimator"]["state"]:
                continue
            del tree["estimator"]["state"][key]
            if not tree["estimator"]["state"]:
                continue
            file.write_text(json.dumps(tree))
            with pytest.raises(ValueError, match=rf"lacks {key}|{key}"):
                skrehab.load(folder)
        file.write_text(good)


# --- networks -------------------------------------------------------------------------------------
NETWORK_POISONS = [
    ("hidden_size", 10**9),
    ("hidden_size", 100_000),
    ("n_layers", 30_000),
    ("n_layers", 10**8),
    ("n_layers", 400),
    ("hidden_size", {"list": [4, 4]}),
    ("weights", "/etc/passwd"),
    ("path", "x"),
    ("dropout", {"float": "nan"}),
    ("dropout", "https://example.invalid"),
]


@pytest.mark.parametrize(("key", "value"), NETWORK_POISONS)
def test_parameters_of_networks(key, value, folders):
    folder = folders["VideoClassifier"]
    file = folder / "model.json"
    good = file.read_text()
    tree = json.loads(good)
    tree["estimator"]["params"]["network_params"] = {"dict": [[key, value]]}
    file.write_text(json.dumps(tree))
    try:
        with pytest.raises(ValueError, match=key if key != "n_layers" else "layers"):
            skrehab.load(folder)
    finally:
        file.write_text(good)


def test_every_parameter_of_every_network_has_a_range():
    import inspect

    from skrehab.networks import get_spec, list_networks
    from skrehab.networks.two_stream.transm3e import TransM3E
    from skrehab.persistence.network_limits import PARAMS

    given = {"n_outputs", "n_landmarks", "n_coords", "fusion_params"}
    for network in [*map(get_spec, list_networks()), None]:
        try:
            cls = TransM3E if network is None else network.load()
        except ImportError:
            continue  # its package is not here
        if network is not None and not cls.__module__.startswith("skrehab."):
            continue
        missing = set(inspect.signature(cls).parameters) - given - set(PARAMS)
        assert not missing, (cls, missing)


def test_params_of_networks_are_known_by_name():
    assert set(NETWORK_PARAMS) == {
        key
        for allowed in ALLOWED.values()
        for key in {**allowed.params, **allowed.fitted}
        if key in ("network_params", "encoder_params", "network_params_", "encoder_params_")
    }


def test_a_number_that_is_no_label_is_not_harmless():
    """The poisons that labels may be are few, and nothing but the label of a class takes them."""
    assert HARMLESS < set(POISONS) and {key for _, key in LABELS} == {"normal_label"}
